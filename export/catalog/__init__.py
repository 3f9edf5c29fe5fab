"""From media folders to a catalogue snapshot."""
