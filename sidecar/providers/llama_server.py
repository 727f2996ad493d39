"""llama.cpp's server. https://github.com/ggml-org/llama.cpp/tree/master/tools/server"""

from typing import Final

from sidecar.dialects.quirks import ChatQuirks
from sidecar.providers.record import Provider
from sidecar.schema.providers import LlamaServerConfig

LLAMA_SERVER: Final = Provider(
    id="llama_server",
    name="llama-server",
    config=LlamaServerConfig,
    base_url="http://127.0.0.1:9931/v1",
    needs_key=False,
    local=True,
    free=True,
    lists_all_models=False,
    quirks=ChatQuirks(top_k=True),
)
