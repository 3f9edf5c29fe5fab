"""Distillation, contrastive pretraining and learning to rank."""
