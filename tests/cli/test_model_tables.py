from sidecar.cli.model_tables import EMPTY, facts, lines
from sidecar.schema.models import ModelInfo, ModelPrice, Recommendation

SMALL = ModelInfo(
    id="SmolLM2-135M-Instruct.Q4_1",
    provider="local",
    context_length=8192,
    size_bytes=98_362_432,
    loaded=True,
    source="models",
    parameters=134_515_008,
    quantization="Q4_1",
    price=ModelPrice(source="free", input="0", output="0"),
)
LONG = "bartowski/Meta-Llama-3.1-70B-Instruct-GGUF/Meta-Llama-3.1-70B-Instruct-Q4_K_M"


def test_columns_are_there_for_what_is_known() -> None:
    broken = ModelInfo(id="half", provider="local", size_bytes=1024, source="models", problem="It is not finished.")
    assert lines("local", [SMALL, broken], None) == [
        "model                       quant  from    state         size  params  context",
        "SmolLM2-135M-Instruct.Q4_1  Q4_1   models  loaded    93.8 MiB    135M    8,192",
        "half                               models  unusable   1.0 KiB",
        "half: It is not finished.",
    ]


def test_prices_are_those_of_what_is_paid_for() -> None:
    paid = ModelInfo(id="m", provider="p", price=ModelPrice(source="table", input="0.25", output="2"))
    ending = ModelInfo(id="old", provider="p", lifecycle="deprecated")
    assert lines("p", [paid, ending], None) == [
        "model  state       $/M in  $/M out",
        "m                   $0.25       $2",
        "old    deprecated",
    ]


def test_a_terminal_that_is_too_narrow_gets_the_names_on_lines_of_their_own() -> None:
    large = ModelInfo(id=LONG, provider="local", size_bytes=40 << 30, source="models", quantization="Q4_K_M")
    told = lines("local", [SMALL, large], 80)
    assert told == [
        "model",
        "  quant   from    state       size  params  context",
        "SmolLM2-135M-Instruct.Q4_1",
        "  Q4_1    models  loaded  93.8 MiB    135M    8,192",
        LONG,
        "  Q4_K_M  models          40.0 GiB",
    ]
    assert len(lines("local", [SMALL, large], None)) == 3


def test_no_models_are_told_with_what_helps() -> None:
    assert lines("local", [], 80) == [EMPTY]
    assert lines("openai", [], 80) == ["openai tells of no models."]


def test_all_that_is_known_is_told_of_one() -> None:
    known = Recommendation(
        id="m",
        provider="local",
        name="Model",
        architecture="llama",
        size_bytes=98_362_432,
        memory_bytes=300 << 20,
        parameters=134_515_008,
        quantization="Q4_1",
        context_length=8192,
        input_modalities=["text"],
        capabilities=["tools", "structured_output"],
        chat_template=True,
        key=False,
        local=True,
        score=0.5,
        reasons=[],
        fits=False,
    )
    assert facts(known, "/m.gguf") == [
        "model          m",
        "file           /m.gguf",
        "name           Model",
        "size           93.8 MiB (98,362,432 bytes)",
        "memory         about 300.0 MiB with its usual context",
        "architecture   llama",
        "parameters     135M (134,515,008)",
        "quantization   Q4_1",
        "context        8,192 tokens",
        "takes          text",
        "capabilities   tools, structured output",
        "chat template  yes",
        "this machine   has too little memory for it",
    ]
