"""From a trained nn.Module to evidence; one file per method."""
