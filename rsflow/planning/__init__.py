"""What a build has to do: scenes, recipes, work units, what is missing and what it will take."""
