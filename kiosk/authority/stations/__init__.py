"""Who a station is: its key, its signature, its role."""
