"""Files -> tensors -> splits -> batches."""
