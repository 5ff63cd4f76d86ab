"""The bill of materials: every Debian package and every wheel of the image, as SPDX 2.3 in JSON."""

import json
import re
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from tools.image.disk import SPACE
from tools.image.rootfs import SUITE


def _package(sort: str, name: str, version: str, purl: str, hash_text: str = "") -> dict[str, Any]:
    entry: dict[str, Any] = {
        "SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", f"{sort}-{name}-{version}"),
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "externalRefs": [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl},
        ],
    }
    if hash_text:
        entry["checksums"] = [{"algorithm": "SHA256", "checksumValue": hash_text}]
    return entry


def document(name: str, version: str, debian: dict[str, str], wheels: dict[str, str], epoch: int) -> str:
    """The document of image `name` from Debian's versions by name and wheels' hashes by file name; always the same."""
    packages = [_package("product", "tandem", version, f"pkg:generic/tandem@{version}")]
    packages[0]["licenseDeclared"] = "Apache-2.0"
    for package, found in sorted(debian.items()):
        purl = f"pkg:deb/debian/{quote(package)}@{quote(found, safe='')}?arch=arm64&distro={SUITE}"
        packages.append(_package("deb", package, found, purl))
    for file, hash_text in sorted(wheels.items()):
        wheel, found = file.split("-")[:2]
        wheel = wheel.replace("_", "-").lower()
        packages.append(_package("wheel", wheel, found, f"pkg:pypi/{quote(wheel)}@{quote(found)}", hash_text))
    top = packages[0]["SPDXID"]
    relations = [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": top}]
    relations += [
        {"spdxElementId": top, "relationshipType": "CONTAINS", "relatedSpdxElement": entry["SPDXID"]}
        for entry in packages[1:]
    ]
    body = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": name,
        "documentNamespace": f"urn:uuid:{uuid.uuid5(SPACE, json.dumps(packages, sort_keys=True))}",
        "creationInfo": {
            "created": datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": ["Tool: tandem-build.sh-image"],
        },
        "packages": packages,
        "relationships": relations,
    }
    return json.dumps(body, indent=1) + "\n"
