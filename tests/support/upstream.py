#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A small upstream server for tests of the gateway. Prints its port and serves until it is killed.

    /echo                   the request as JSON: method, target, headers, size and SHA-256 of the body
    /count                  counts POSTs by Idempotency-Key; a known key is counted but not executed again
    /counts                 {"done": {key: executions}, "arrived": {key: requests}}
    /careless               like /count, but executes each request: it ignores the header
    /slow?ms=500            responds after a delay
    /events?count=5&ms=100  an event stream of 5 events, 100 ms apart
    /bytes?count=1000       a body of this size
    /die?count=1000         announces a million bytes, sends this number and disconnects
    /status?code=503        a response with this status
    /socket                 a WebSocket that echoes its messages
"""

import argparse
import asyncio
import base64
import hashlib
import json
import struct
from collections import Counter
from urllib.parse import parse_qs, urlsplit

BLOCK = bytes(range(256)) * 256  # 64 KiB: the content of /bytes, repeated.
WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3

done: Counter[str] = Counter()
arrived: Counter[str] = Counter()


async def read_head(reader: asyncio.StreamReader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head[:-4].split("\r\n")
    method, target, _ = first.split(" ")
    fields = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return method, target, fields


async def body_blocks(reader: asyncio.StreamReader, headers: dict[str, str]):
    if "chunked" in headers.get("transfer-encoding", ""):
        while size := int((await reader.readline()).split(b";")[0], 16):
            yield await reader.readexactly(size)
            await reader.readexactly(2)
        while (await reader.readline()).strip():
            pass
        return
    remaining = int(headers.get("content-length", 0))
    while remaining:
        block = await reader.read(min(remaining, 1 << 16))
        if not block:
            raise asyncio.IncompleteReadError(b"", remaining)
        remaining -= len(block)
        yield block


def head(status: int, *fields: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} Response", *fields, "", ""]).encode()


async def respond(writer: asyncio.StreamWriter, status: int, value) -> None:
    body = json.dumps(value).encode()
    writer.write(head(status, "Content-Type: application/json", f"Content-Length: {len(body)}") + body)
    await writer.drain()


async def send_events(writer: asyncio.StreamWriter, count: int, ms: int) -> None:
    writer.write(head(200, "Content-Type: text/event-stream", "Cache-Control: no-store", "Connection: close"))
    for number in range(count):
        writer.write(f"id: {number}\ndata: event {number}\n\n".encode())
        await writer.drain()
        await asyncio.sleep(ms / 1000)
    writer.close()


async def send_bytes(writer: asyncio.StreamWriter, count: int, content_length: int) -> None:
    writer.write(head(200, "Content-Type: application/octet-stream", f"Content-Length: {content_length}"))
    while count > 0:
        writer.write(BLOCK[: min(count, len(BLOCK))])
        await writer.drain()
        count -= len(BLOCK)


async def echo_socket(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, key: str) -> None:
    accept = base64.b64encode(hashlib.sha1((key + WEBSOCKET_GUID).encode()).digest()).decode()
    writer.write(head(101, "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Accept: {accept}"))
    await writer.drain()
    while True:
        first, second = await reader.readexactly(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", await reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await reader.readexactly(8))
        mask = await reader.readexactly(4)
        payload = bytes(byte ^ mask[at % 4] for at, byte in enumerate(await reader.readexactly(length)))
        size = bytes([length]) if length < 126 else struct.pack("!BH", 126, length)
        writer.write(bytes([first]) + size + payload)
        await writer.drain()
        if first & 0x0F == 8:  # A close frame is echoed, and the connection ends.
            return


async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Serves one request. Returns whether the connection can serve another."""
    method, target, fields = await read_head(reader)
    headers = {name.lower(): value for name, value in fields}
    parts = urlsplit(target)
    query = {name: int(values[0]) for name, values in parse_qs(parts.query).items() if values[0].isdigit()}
    kind = parts.path.rstrip("/").rsplit("/", 1)[-1]
    if kind == "socket":
        await echo_socket(reader, writer, headers.get("sec-websocket-key", ""))
        return False
    size, digest = 0, hashlib.sha256()
    async for block in body_blocks(reader, headers):
        size += len(block)
        digest.update(block)
    key = headers.get("idempotency-key", "")
    match kind:
        case "count" | "careless":
            arrived[key] += 1
            if kind == "careless" or not done[key]:
                done[key] += 1
            await respond(writer, 201, {"key": key, "times": done[key]})
        case "counts":
            await respond(writer, 200, {"done": done, "arrived": arrived})
        case "slow":
            await asyncio.sleep(query.get("ms", 500) / 1000)
            await respond(writer, 200, {"slept_ms": query.get("ms", 500)})
        case "events":
            await send_events(writer, query.get("count", 5), query.get("ms", 100))
            return False
        case "bytes":
            await send_bytes(writer, query.get("count", 1000), query.get("count", 1000))
        case "die":
            await send_bytes(writer, query.get("count", 1000), 1_000_000)
            return False
        case "status":
            await respond(writer, query.get("code", 500), {"status": query.get("code", 500)})
        case _:
            await respond(
                writer,
                200,
                {
                    "method": method,
                    "target": target,
                    "headers": fields,
                    "bytes": size,
                    "sha256": digest.hexdigest(),
                },
            )
    return headers.get("connection", "").lower() != "close"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while await serve_one(reader, writer):
            pass
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # The client disconnected, as some tests do on purpose.
    finally:
        writer.close()


async def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=0, help="0: a free port")
    server = await asyncio.start_server(serve, "127.0.0.1", parser.parse_args().port, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
