"""One file per objective: LightningModules around an encoder."""
