"""The views, one folder for each question a screen asks."""
