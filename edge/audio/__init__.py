"""From a microphone or a file to embeddings of what is heard."""
