"""JSON-RPC 2.0 over a pair of pipes. Has never heard of language models. https://www.jsonrpc.org/specification"""
