"""Large pretrained models behind one interface."""
