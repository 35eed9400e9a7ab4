"""How many cores a fleet needs: a model of visits, fed with what was measured."""
