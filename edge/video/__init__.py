"""From a camera, a screen or a film to embeddings of what is seen."""
