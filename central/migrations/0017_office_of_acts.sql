-- phase: expand
-- The office that an act was about or done at. None: it was the city's, or was written by a build that did not say.
ALTER TABLE audit ADD COLUMN office text;
