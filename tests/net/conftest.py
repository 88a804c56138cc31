from __future__ import annotations

import asyncio
import gzip
import socket
import struct
from contextlib import asynccontextmanager, suppress

import pytest

DRIP_SECONDS = 0.01
GZIP_BOMB = gzip.compress(b"0" * 10_000_000)


def _answer(body, *, status="200 OK", headers=()):
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def _forever(writer, data):
    while True:
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(0)


async def _drip(writer, data):
    for byte in data:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(DRIP_SECONDS)
    await asyncio.sleep(60)


async def slow_headers(writer):
    await _drip(writer, b"HTTP/1.1 200 OK\r\n" + b"x-slow: 1\r\n" * 1000)


async def slow_body(writer):
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n")
    await _drip(writer, b"[" * 10_000)


async def hang(writer):
    await asyncio.sleep(60)


async def two_gigabytes(writer):
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2147483648\r\n\r\n")
    await _forever(writer, b"x" * 65536)


async def endless_chunks(writer):
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    await _forever(writer, b"1000\r\n" + b"x" * 4096 + b"\r\n")


async def gzip_bomb(writer):
    writer.write(_answer(GZIP_BOMB, headers=("content-encoding: gzip",)))


async def truncated(writer):
    writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"a":')
    await writer.drain()
    writer.close()


async def bad_length(writer):
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n{}")


async def garbage(writer):
    writer.write(bytes(range(256)) * 20 + b"\r\n\r\n")


async def giant_headers(writer):
    writer.write(b"HTTP/1.1 200 OK\r\n")
    await _forever(writer, b"x-more: " + b"x" * 8192 + b"\r\n")


async def reset(writer):
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.close()


async def silent_close(writer):
    writer.close()


def _fixed(body, **more):
    async def send(writer):
        writer.write(_answer(body, **more))

    return send


BEHAVIOURS = {
    "bad_length": bad_length,
    "deep": _fixed(b"[" * 100_000 + b"]" * 100_000),
    "deep_but_parsed": _fixed(b'{"a":' * 150 + b"1" + b"}" * 150),
    "empty": _fixed(b""),
    "endless_chunks": endless_chunks,
    "garbage": garbage,
    "giant_headers": giant_headers,
    "good": _fixed(b'{"ok":true}', headers=("content-type: application/json", "set-cookie: a=b")),
    "gzip_bomb": gzip_bomb,
    "hang": hang,
    "html_500": _fixed(b"<h1>boom</h1>", status="500 Internal Server Error"),
    "huge_exponent": _fixed(b'{"a":1e999}'),
    "huge_int": _fixed(b'{"a":' + b"9" * 40 + b"}"),
    "infinity": _fixed(b'{"a":-Infinity}'),
    "nan": _fixed(b'{"a":NaN}'),
    "not_found": _fixed(b'{"detail":"no such thing"}', status="404 Not Found"),
    "not_json": _fixed(b"<html>hello</html>"),
    "not_utf8": _fixed(b'"\xff"'),
    "redirect": _fixed(b"", status="302 Found", headers=("location: http://169.254.169.254/",)),
    "reset": reset,
    "silent_close": silent_close,
    "slow_body": slow_body,
    "slow_headers": slow_headers,
    "too_busy": _fixed(b"{}", status="429 Too Many Requests", headers=("retry-after: 7",)),
    "truncated": truncated,
    "two_gigabytes": two_gigabytes,
}


class EvilServer:
    """Behaves as the path of a request says; `/reused/close` answers a connection's first request only."""

    def __init__(self):
        self.requests = []
        self.asked = asyncio.Event()
        self.open = 0
        self.most_open = 0
        self.connections = 0
        self._tasks = set()

    async def serve(self, reader, writer):
        self._tasks.add(asyncio.current_task())
        self.connections += 1
        self.open += 1
        self.most_open = max(self.open, self.most_open)
        try:
            # Cancelling is how the server is stopped.
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._converse(reader, writer)
        finally:
            self.open -= 1
            writer.close()
            self._tasks.discard(asyncio.current_task())

    async def _converse(self, reader, writer):
        served = 0
        while not writer.is_closing():
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(
                (int(line[15:]) for line in head.lower().split("\r\n") if line.startswith("content-length:")),
                0,
            )
            body = await reader.readexactly(length)
            self.requests.append((head, body))
            self.asked.set()
            path = head.split(" ")[1]
            if path == "/reused/close" and served:
                return
            if path == "/echo":
                writer.write(_answer(head.encode() + body, status="500 Oh"))
            else:
                await BEHAVIOURS.get(path[1:], BEHAVIOURS["good"])(writer)
            await writer.drain()
            served += 1

    async def stop(self):
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.fixture
def evil_server():
    """A context manager that serves an `EvilServer`; its address is in `url`."""

    @asynccontextmanager
    async def serving():
        evil = EvilServer()
        server = await asyncio.start_server(evil.serve, "127.0.0.1", 0)
        evil.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield evil
        finally:
            server.close()
            await evil.stop()

    return serving
