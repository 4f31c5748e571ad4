"""The stages of the step `label`: scenes are cut, rendered, screened, annotated, labelled and written."""
