"""Local models: GGUF files, run by llama.cpp in worker processes."""
