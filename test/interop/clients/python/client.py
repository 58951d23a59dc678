"""The scenarios of ../go/client/scenarios.go, by grpcio: client.py [--deadline MS] [--compress] SCENARIO...

Runs them against the service that BUILDKIT_HOST names, and prints what it saw of each, a line of JSON.
"""

import argparse
import asyncio
import hashlib
import json
import os

import grpc
from google.protobuf.wrappers_pb2 import BytesValue
from google.rpc import status_pb2

DEADLINE = 0.3
PLENTY = 60.0
# Together 100 MB each way, and each below the 4 MiB that clients take by default.
LARGE_MESSAGES = 25
LARGE_SIZE = 4_000_000
STREAMS = 1000

CHANNEL_OPTIONS = [
    # 8 KiB by default, and never more than 16.
    ("grpc.max_metadata_size", 4 << 20),
    ("grpc.absolute_max_metadata_size", 4 << 20),
]


def serialize(value):
    return BytesValue(value=value).SerializeToString()


def deserialize(data):
    return BytesValue.FromString(data).value


def content(label, size):
    """So many bytes that look like nothing else, the same for a label in every language."""
    return hashlib.shake_128(label.encode()).digest(size)


def contents(label, count, size):
    return (content(f"{label}/{i}", size) for i in range(count))


def order(label, **rest):
    """What a call is to get; the fields are told in ../go/echo/echo.go."""
    return {"label": label, **rest}


def order_bytes(fields):
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()


class Seen:
    """What was seen of one call: one element of the transcript, the same in every language."""

    def __init__(self, call):
        self.call = call
        self.count = 0
        self.bytes = 0
        self.hash = hashlib.sha256()

    def add(self, message):
        self.count += 1
        self.bytes += len(message)
        self.hash.update(len(message).to_bytes(4, "big") + message)

    async def summary(self, call, with_text=True):
        code, text = (await call.code()).value[0], await call.details()
        tail = await call.trailing_metadata()
        seen = {"call": self.call, "code": code, "messages": self.count, "bytes": self.bytes, "sha256": self.hash.hexdigest()}
        # What a client says of its own doing differs from one to the next.
        if with_text and text:
            seen["text"] = text
        for name, value in (
            ("head", legible(await call.initial_metadata(), "x-echo-head")),
            ("tail", legible(tail, "x-echo-tail")),
            ("details", details(tail)),
        ):
            if value:
                seen[name] = value
        return seen


def together(call, each):
    """What was seen of many calls, in their order."""
    digest = hashlib.sha256()
    for seen in each:
        digest.update(seen["sha256"].encode())
    return {
        "call": call,
        "code": max(seen["code"] for seen in each),
        "messages": sum(seen["messages"] for seen in each),
        "bytes": sum(seen["bytes"] for seen in each),
        "sha256": digest.hexdigest(),
    }


def legible(metadata, prefix):
    found = {}
    for name, value in metadata or ():
        if name.startswith(prefix):
            found.setdefault(name, []).append(value.hex() if isinstance(value, bytes) else value)
    return {name: short(", ".join(values)) for name, values in found.items()}


def details(metadata):
    for name, value in metadata or ():
        if name != "grpc-status-details-bin":
            continue
        values = []
        for detail in status_pb2.Status.FromString(value).details:
            message = BytesValue()
            if not detail.Unpack(message):
                raise ValueError(f"a detail is a {detail.type_url}")
            values.append(short(message.value.hex()))
        return values
    return []


def short(text):
    return text if len(text) <= 100 else f"{len(text)} characters, sha256 {hashlib.sha256(text.encode()).hexdigest()}"


class OpenCall:
    """A stream of any kind; its order has been sent."""

    def __init__(self, name, call, has_one_answer):
        self.call = call
        self.seen = Seen(name)
        self.has_one_answer = has_one_answer
        self.over = False

    async def send(self, message):
        try:
            await self.call.write(message)
        except (grpc.RpcError, asyncio.CancelledError):
            pass  # that the call has ended is heard from receive

    async def close_send(self):
        try:
            await self.call.done_writing()
        except (grpc.RpcError, asyncio.CancelledError):
            pass

    async def receive(self):
        """Takes one message; False when the call has ended."""
        if self.over:
            return False
        try:
            message = await (self.call if self.has_one_answer else self.call.read())
        except (grpc.RpcError, asyncio.CancelledError):
            message = grpc.aio.EOF
        if message is grpc.aio.EOF:
            self.over = True
            return False
        self.over = self.has_one_answer
        self.seen.add(message)
        return True

    async def receive_n(self, count):
        for _ in range(count):
            await self.receive()

    async def finish(self, with_text=True):
        """Takes what is left, and tells what the call was like."""
        while await self.receive():
            pass
        return await self.seen.summary(self.call, with_text)


class Client:
    def __init__(self, channel, slow):
        self.channel = channel
        # The deadline of the scenario of that name, in seconds.
        self.slow = slow

    def start(self, kind, method, *arguments, **options):
        path = f"/bridgetape.test.v1.Echo/{method}"
        return getattr(self.channel, kind)(path, request_serializer=serialize, response_deserializer=deserialize)(*arguments, **options)

    def start_unary(self, method, order, **options):
        call = self.start("unary_unary", method, order_bytes(order), **options)
        return OpenCall(f"{method} {order['label']}", call, has_one_answer=True)

    async def unary(self, method, order, **options):
        return await self.start_unary(method, order, **options).finish()

    async def open(self, method, order, **options):
        name, first = f"{method} {order['label']}", order_bytes(order)
        if method == "ServerStream":
            return OpenCall(name, self.start("unary_stream", method, first, **options), has_one_answer=False)
        kind = "stream_stream" if method == "Bidi" else "stream_unary"
        call = OpenCall(name, self.start(kind, method, **options), has_one_answer=method == "ClientStream")
        await call.send(first)
        return call

    async def stream(self, method, order, messages=(), with_text=True, **options):
        """A stream from its order to its end, reading while it sends."""
        call = await self.open(method, order, **options)

        async def send():
            for message in messages:
                await call.send(message)
            if method != "ServerStream":
                await call.close_send()

        seen, _ = await asyncio.gather(call.finish(with_text), send())
        return seen

    async def cancelled(self, order, until):
        """A server stream that its client cancels at a given point."""
        call = await self.open("ServerStream", order)
        await until(call)
        call.call.cancel()
        seen = await call.finish(with_text=False)
        return [seen, await self.unary("Await", {"label": order["label"], "ended": True})]


async def unary(c):
    return [await c.unary("Unary", order(f"unary/{size}", messages=1, size=size)) for size in (0, 1, 70_000)]


async def server_stream(c):
    return [await c.stream("ServerStream", order(f"server-stream/{count}", messages=count, size=1000)) for count in (0, 1, 100)]


async def client_stream(c):
    labels = [(f"client-stream/{count}", count) for count in (0, 1, 100)]
    return [await c.stream("ClientStream", order(label), contents(label, count, 1000)) for label, count in labels]


async def bidi(c):
    """In turns, and all at once."""
    turns = await c.open("Bidi", order("bidi/turns"))
    await turns.receive()
    for message in contents("bidi/turns", 50, 1000):
        await turns.send(message)
        await turns.receive()
    await turns.close_send()
    return [await turns.finish(), await c.stream("Bidi", order("bidi/at once"), contents("bidi/at once", 50, 1000))]


async def metadata(c):
    asked = (
        ("x-echo-ask", "plain, with a comma"),
        ("x-echo-ask", "and again"),
        # One binary value: connect-es joins several with a comma, and grpc-go refuses that.
        ("x-echo-ask-bin", content("metadata", 20)),
    )
    wanted = order("metadata", messages=1, size=10, headers=True, tail=[5, 80], tailBin=[0, 1, 2, 300])
    return [await c.unary("Unary", wanted, metadata=asked), await c.stream("ServerStream", wanted, metadata=asked)]


async def statuses(c):
    """All codes at once, then one after messages, and one after headers alone."""
    seen = [await c.unary("Unary", failing(f"statuses/{code}", code)) for code in range(1, 17)]
    seen.append(await c.stream("ServerStream", failing("statuses/after messages", 9, messages=3, size=100)))
    seen.append(await c.stream("ServerStream", failing("statuses/after headers", 5, headers=True)))
    return seen


def failing(label, code, **before):
    return order(label, **before, code=code, text=f'100% übel: "{label}"\n\tund €', details=[0, 7, 3000], tail=[20], tailBin=[33])


async def early_end(c):
    """A server that ends the call while the client could go on."""
    seen = []
    for method in ("ClientStream", "Bidi"):
        wanted = failing(f"early-end/{method}", 8, stop=3)
        call = await c.open(method, wanted)
        for message in contents(wanted["label"], 3, 100):
            await call.send(message)
        seen.append(await call.finish())
    return seen


async def cancel_unanswered(c):
    """Calls that are known to have arrived, and of which nothing came back."""
    label = "cancel-unanswered/unary"
    call = c.start_unary("Unary", order(label, hold=True))
    arrived = await c.unary("Await", order(label))
    call.call.cancel()
    cancelled = await call.finish(with_text=False)
    gone = await c.unary("Await", order(label, ended=True))
    stream = "cancel-unanswered/stream"
    rest = await c.cancelled(order(stream, hold=True), lambda _: c.unary("Await", order(stream)))
    return [arrived, cancelled, gone, *rest]


async def cancel_after_headers(c):
    return await c.cancelled(order("cancel-after-headers", headers=True, hold=True), lambda call: call.call.initial_metadata())


async def cancel_mid_stream(c):
    return await c.cancelled(order("cancel-mid-stream", messages=5, size=1000, hold=True), lambda call: call.receive_n(5))


async def cancel_bidi(c):
    """A call that is not closed, with an answer behind each message."""
    call = await c.open("Bidi", order("cancel-bidi"))
    for message in contents("cancel-bidi", 3, 1000):
        await call.send(message)
    await call.receive_n(4)
    call.call.cancel()
    return [await call.finish(with_text=False)]


async def deadline_passes(c):
    """Calls that the server never answers, before and after their first message."""
    orders = [order("deadline-passes/at once", hold=True), order("deadline-passes/later", messages=2, size=100, hold=True)]
    calls = []
    for wanted in orders:
        call = await c.open("ServerStream", wanted, timeout=DEADLINE)
        await call.receive_n(wanted.get("messages", 0))
        calls.append(call)
    seen = []
    for wanted, call in zip(orders, calls):
        seen.append(await call.finish(with_text=False))
        seen.append(await c.unary("Release", order(wanted["label"])))
    return seen


async def deadline_kept(c):
    return [
        await c.unary("Unary", order("deadline-kept/unary", messages=1, size=10), timeout=PLENTY),
        await c.stream("ServerStream", order("deadline-kept/stream", messages=3, size=10), timeout=PLENTY),
    ]


async def alike(c):
    """Calls that begin with equal messages and differ later, all open at once, and going on in another order."""
    calls = []
    for _ in range(20):
        call = await c.open("Bidi", order("alike"))
        await call.receive()
        calls.append(call)
    seen = [None] * len(calls)
    for i in reversed(range(len(calls))):
        await calls[i].send(content(f"alike/{i}", 100))
        await calls[i].close_send()
        seen[i] = await calls[i].finish()
    return seen


async def large_trailers(c):
    """100 KiB: in fields of which each is short, and with one that only Huffman coding brings below the 64 KiB of Node's HTTP/2."""
    return [
        await c.unary("Unary", order("large-trailers/fields", messages=1, size=10, tail=[25_600, 25_600], tailBin=[19_200, 19_200])),
        await c.stream("ServerStream", order("large-trailers/details", messages=2, size=10, code=2, text="long", details=[30_000, 30_000], tail=[22_000])),
    ]


async def one_field_trailers(c):
    """100 KiB and a megabyte in one field, which Node takes from nobody."""
    return [await c.unary("Unary", order(f"one-field-trailers/{size}", code=2, text="long", details=[size])) for size in (76_800, 760_000)]


async def streams(c):
    """Open on one connection at once: none goes on before all have been answered."""
    labels = [f"streams/{i}" for i in range(STREAMS)]

    async def begin(label):
        call = await c.open("Bidi", order(label))
        await call.receive()
        return call

    async def go_on(label, call):
        await call.send(content(label, 2000))
        await call.close_send()
        return await call.finish()

    calls = await asyncio.gather(*map(begin, labels))
    return [together("streams", await asyncio.gather(*map(go_on, labels, calls)))]


async def large(c):
    return [await c.stream("Bidi", order("large"), contents("large", LARGE_MESSAGES, LARGE_SIZE))]


async def slow(c):
    """Answered after a pause: the one scenario whose deadline is given."""
    return [await c.stream("ServerStream", order("slow", messages=3, size=10, pauseMs=200), with_text=False, timeout=c.slow)]


SCENARIOS = {
    scenario.__name__.replace("_", "-"): scenario
    for scenario in (
        unary, server_stream, client_stream, bidi, metadata, statuses, early_end, cancel_unanswered, cancel_after_headers, cancel_mid_stream,
        cancel_bidi, deadline_passes, deadline_kept, alike, large_trailers, one_field_trailers, streams, large, slow,
    )
}  # fmt: skip


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--deadline", type=int, default=60_000)
    parser.add_argument("--compress", action="store_true")
    parser.add_argument("scenario", nargs="+", choices=SCENARIOS)
    arguments = parser.parse_args()
    # gRPC wants unix:///path as it is, and host:port without a scheme.
    target = os.environ["BUILDKIT_HOST"].removeprefix("tcp://")
    compression = grpc.Compression.Gzip if arguments.compress else None
    async with grpc.aio.insecure_channel(target, options=CHANNEL_OPTIONS, compression=compression) as channel:
        client = Client(channel, arguments.deadline / 1000)
        for name in arguments.scenario:
            print(json.dumps({"scenario": name, "calls": await SCENARIOS[name](client)}), flush=True)


asyncio.run(main())
