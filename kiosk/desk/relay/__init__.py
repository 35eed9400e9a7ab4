"""An operator's session at the authority; its pages, keys and cards at a station."""
