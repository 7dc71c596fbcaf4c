"""The pack as an RO-Crate: which run made which file, from what, in a form that other tools read.

RO-Crate 1.3, profile Process Run Crate 0.6 [1]_: one ``CreateAction`` a notebook, and one for the
pages that stand on all of them. Written with ``rocrate``; the one date is the day the assessment
speaks for, and every list is sorted, so that two builds give the same bytes. When the run took
place stands in ``run.log``, which is no part of the crate; no agent is named, because none is known.

.. [1] Workflow Run RO-Crate working group, https://w3id.org/ro/wfrun/process/0.6
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from otrack_risk.report.identity import Identity

NAME = "ro-crate-metadata.json"
PROFILE = "https://w3id.org/ro/wfrun/process/0.6"
CONTEXT = "https://w3id.org/ro/terms/workflow-run/context"  # of `sha256`
_FORMATS = {
    "html": "text/html",
    "ipynb": "application/x-ipynb+json",
    "json": "application/json",
    "csv": "text/csv",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "md": "text/markdown",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


def crate(
    content: Mapping[str, bytes], made_by: Mapping[str, str], title: str, day: str, identity: Identity
) -> dict[str, Any]:
    """The metadata document of a pack.

    Parameters
    ----------
    content : every file of the pack but this one and the manifest, by path
    made_by : the notebook that made a file, by path; a file without one was made from all notebooks
    title : of the report
    day : the day the assessment speaks for, ISO 8601; the date of publication
    """
    from rocrate.model.contextentity import ContextEntity
    from rocrate.rocrate import ROCrate

    made = ROCrate(version="1.3")
    made.metadata.extra_contexts.append(CONTEXT)

    def add(identifier: str, kind: str, **properties: Any) -> Any:
        return made.add(ContextEntity(made, identifier, properties={"@type": kind, **properties}))

    root = made.root_dataset
    root["name"] = title
    root["description"] = "An assessment of school data: pages, results, figures with their tables, and a manifest."
    root["identifier"] = identity.run_id
    root["datePublished"] = day
    root["license"] = "No licence is given: whether this is passed on is for the controller to decide."
    root["conformsTo"] = add(PROFILE, "CreativeWork", name="Process Run Crate", version="0.6")
    tool = add("#otrack-risk", "SoftwareApplication", name="otrack_risk", softwareVersion=identity.tool["version"])
    inputs = [
        add(f"#input-{number}", "CreativeWork", name=str(entry["name"]), sha256=str(entry.get("sha256") or "not known"))
        for number, entry in enumerate([*identity.inputs, *identity.beside], start=1)
    ]
    files = {
        path: made.add_file(dest_path=path, properties=_described(path, data)) for path, data in sorted(content.items())
    }
    files["manifest.json"] = made.add_file(
        dest_path="manifest.json",
        properties={"name": "The SHA-256 of every other file", "encodingFormat": "application/json"},
    )
    actions = []
    for notebook, values in sorted(identity.parameters["resolved"].items()):
        parameters = [
            add(f"#{notebook}-{name}", "PropertyValue", name=name, value=json.dumps(value, ensure_ascii=False))
            for name, value in sorted(values.items())
        ]
        results = [file for path, file in files.items() if made_by.get(path) == notebook]
        actions.append(_action(made, notebook, f"The notebook {notebook}", tool, [*inputs, *parameters], results))
    copies = [file for path, file in files.items() if path in made_by and path.endswith(".ipynb")]
    rest = [file for path, file in files.items() if path not in made_by]
    actions.append(_action(made, "report", "The pages, the results and the manifest", tool, copies, rest))
    root["mentions"] = actions
    document: dict[str, Any] = made.metadata.generate()
    document["@graph"].sort(key=lambda entity: (entity["@id"] != NAME, entity["@id"] != "./", entity["@id"]))
    return document


def _action(made: Any, name: str, title: str, tool: Any, used: list[Any], results: list[Any]) -> Any:
    said = {"name": title, "description": "When, where and how long: see run.log, if it was passed on with this."}
    return made.add_action(tool, f"#run-{name}", object=used or None, result=results or None, properties=said)


def _described(path: str, data: bytes) -> dict[str, str]:
    kind = _FORMATS.get(path.rpartition(".")[2], "text/plain")
    return {
        "name": path.rpartition("/")[2],
        "encodingFormat": kind,
        "contentSize": str(len(data)),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
