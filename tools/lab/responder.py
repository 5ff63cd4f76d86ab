"""`python -m tools.lab.responder --port N`: the least that answers our probe, to stand behind a rival's address.

It confirms STARTDT and TESTFR and answers every I frame with one point. No state, no field, nothing mirrored.
"""

from __future__ import annotations

import argparse
import asyncio

from tandem.codec.iec60870 import apci
from tandem.codec.iec60870.asdu import encode
from tandem.codec.iec60870.types import BY_NAME
from tools.bench.processes import end_with_parent

_CONFIRMS = {apci.STARTDT_ACT: apci.STARTDT_CON, apci.TESTFR_ACT: apci.TESTFR_CON}


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, until it ends."""
    splitter, sent, heard = apci.Splitter(), 0, 0
    point = encode(BY_NAME["M_SP_NA_1"].number, 5, 47, [(1, {"value": 1})])
    try:
        while octets := await reader.read(4096):
            for frame in splitter.feed(octets):
                kind, number, _ = apci.control_of(frame)
                if kind == "U" and number in _CONFIRMS:
                    writer.write(apci.u_frame(_CONFIRMS[number]))
                elif kind == "I":
                    heard = (number + 1) & apci.MASK
                    writer.write(apci.i_frame(point, sent, heard))
                    sent = (sent + 1) & apci.MASK
    except OSError:
        pass
    writer.close()


async def _main(port: int) -> None:
    server = await asyncio.start_server(answer, "0.0.0.0", port, reuse_address=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="responder")
    parser.add_argument("--port", type=int, required=True)
    end_with_parent()
    asyncio.run(_main(parser.parse_args().port))
