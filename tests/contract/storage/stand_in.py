"""A stand-in for supabase/storage, as its answers were recorded: for machines that have no such server."""

import asyncio
import base64
import hashlib
import re
import secrets
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

SERVICE_KEY = "stand-in-service-key"
TUS_PART = 6 * 1024 * 1024
KEY = re.compile(r"[A-Za-z0-9_/!.*'() &$@=;:+,?-]+")
BLOCK = 256 * 1024


@dataclass
class Kept:
    blocks: list[bytes]
    content_type: str
    cache: str = "no-cache"
    modified: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __post_init__(self) -> None:
        self.size = sum(map(len, self.blocks))
        digest = hashlib.md5(usedforsecurity=False)
        for block in self.blocks:
            digest.update(block)
        self.etag = f'"{digest.hexdigest()}"'

    def cut(self, start: int, end: int) -> Iterator[bytes]:
        at = 0
        for block in self.blocks:
            low, high = max(start - at, 0), min(end - at, len(block))
            if low < high:
                yield block[low:high]
            at += len(block)


@dataclass
class Upload:
    key: str
    content_type: str
    length: int | None
    upsert: bool = False
    blocks: list[bytes] = field(default_factory=list)
    done: bool = False

    @property
    def offset(self) -> int:
        return sum(map(len, self.blocks))


class Refused(Exception):
    def __init__(self, status: int, error: str, message: str, code: str, *, http: int = 400) -> None:
        self.answer = JSONResponse(
            {"statusCode": str(status), "error": error, "message": message, "code": code}, http
        )


NO_KEY = (404, "not_found", "Object not found", "NoSuchKey")
NO_BUCKET = (404, "Bucket not found", "Bucket not found", "NoSuchBucket")
THERE = (409, "Duplicate", "The resource already exists", "KeyAlreadyExists")


class StandIn:
    """The whole store in memory.

    `trouble` holds statuses to answer instead of working, by method; `lost` those to answer after it was done.
    """

    def __init__(self) -> None:
        self.buckets: dict[str, dict[str, Kept]] = {}
        self.public: set[str] = set()
        self.limits: dict[str, int] = {}
        self.uploads: dict[str, Upload] = {}
        self.tokens: dict[str, tuple[str, float]] = {}
        self.trouble: dict[str, list[int]] = {}
        self.lost: dict[str, list[int]] = {}
        self.asked: list[tuple[str, str]] = []
        self.url = ""

    def routes(self) -> list[Route]:
        one = "/object/{bucket}/{key:path}"
        return [
            Route("/status", self.status),
            Route("/bucket", self.make_bucket, methods=["POST"]),
            Route("/bucket/{bucket}", self.show_bucket),
            Route("/object/copy", self.copy, methods=["POST"]),
            Route("/object/list-v2/{bucket}", self.listing, methods=["POST"]),
            Route("/object/info/{bucket}/{key:path}", self.info),
            Route("/object/authenticated/{bucket}/{key:path}", self.read),
            Route("/object/upload/sign/{bucket}/{key:path}", self.sign_upload, methods=["POST"]),
            Route("/object/upload/sign/{bucket}/{key:path}", self.signed_upload, methods=["PUT"]),
            Route("/object/sign/{bucket}", self.sign, methods=["POST"]),
            Route("/object/sign/{bucket}/{key:path}", self.signed_read),
            Route("/object/{bucket}", self.remove, methods=["DELETE"]),
            Route(one, self.write, methods=["POST", "PUT"]),
            Route("/upload/resumable", self.tus_options, methods=["OPTIONS"]),
            Route("/upload/resumable", self.tus_begin, methods=["POST"]),
            Route("/upload/resumable/sign", self.tus_begin, methods=["POST"]),
            Route("/upload/resumable/{id:path}", self.tus, methods=["PATCH", "HEAD", "DELETE"]),
        ]

    async def status(self, request: Request) -> Response:
        return Response()

    async def make_bucket(self, request: Request) -> Response:
        asked = await request.json()
        if asked["id"] in self.buckets:
            raise Refused(409, "Duplicate", "The resource already exists", "BucketAlreadyExists")
        self.buckets[asked["id"]] = {}
        if asked.get("public"):
            self.public.add(asked["id"])
        if asked.get("file_size_limit"):
            self.limits[asked["id"]] = asked["file_size_limit"]
        return JSONResponse({"name": asked["id"]})

    async def show_bucket(self, request: Request) -> Response:
        name = request.path_params["bucket"]
        self.bucket(name)
        return JSONResponse(
            {
                "id": name,
                "name": name,
                "public": name in self.public,
                "file_size_limit": self.limits.get(name),
            }
        )

    async def write(self, request: Request) -> Response:
        bucket, key = self.place(request)
        blocks = [block async for block in request.stream() if block]
        upsert = request.method == "PUT" or request.headers.get("x-upsert") == "true"
        self.store(f"{bucket}/{key}", blocks, request.headers["content-type"], upsert=upsert)
        return JSONResponse({"Key": f"{bucket}/{key}", "Id": str(uuid.uuid4())})

    async def info(self, request: Request) -> Response:
        _, key = self.place(request)
        kept = self.kept(request)
        return JSONResponse(
            {
                "name": key,
                "size": kept.size,
                "content_type": kept.content_type,
                "etag": kept.etag,
                "last_modified": stamp(kept.modified),
            }
        )

    async def read(self, request: Request) -> Response:
        return self.stream(request, {})

    async def copy(self, request: Request) -> Response:
        asked = await request.json()
        objects = self.bucket(asked["bucketId"])
        if asked["sourceKey"] not in objects:
            raise Refused(*NO_KEY)
        if asked["destinationKey"] in objects and request.headers.get("x-upsert") != "true":
            raise Refused(*THERE)
        source = objects[asked["sourceKey"]]
        objects[asked["destinationKey"]] = Kept(source.blocks, source.content_type)
        return JSONResponse({"Key": f"{asked['bucketId']}/{asked['destinationKey']}"})

    async def remove(self, request: Request) -> Response:
        objects = self.bucket(request.path_params["bucket"])
        gone = [key for key in (await request.json())["prefixes"] if objects.pop(key, None)]
        return JSONResponse([{"name": key} for key in gone])

    async def listing(self, request: Request) -> Response:
        asked = await request.json()
        objects = self.buckets.get(request.path_params["bucket"], {})
        after = base64.b64decode(asked.get("cursor", "")).decode()
        names = sorted(key for key in objects if key.startswith(asked["prefix"]) and key > after)
        page = names[: asked["limit"]]
        more = len(names) > len(page)
        cursor = {"nextCursor": base64.b64encode(page[-1].encode()).decode()} if more else {}
        return JSONResponse(
            {
                "hasNext": more,
                **cursor,
                "folders": [],
                "objects": [
                    {
                        "name": name,
                        "updated_at": stamp(objects[name].modified),
                        "metadata": {
                            "eTag": objects[name].etag,
                            "size": objects[name].size,
                            "mimetype": objects[name].content_type,
                        },
                    }
                    for name in page
                ],
            }
        )

    async def sign(self, request: Request) -> Response:
        asked, bucket = await request.json(), request.path_params["bucket"]
        objects = self.bucket(bucket)
        return JSONResponse(
            [self.signed(bucket, path, asked["expiresIn"], objects) for path in asked["paths"]]
        )

    def signed(self, bucket: str, path: str, seconds: int, objects: dict[str, Kept]) -> dict[str, str | None]:
        if path not in objects:
            words = "Either the object does not exist or you do not have access to it"
            return {"error": words, "path": path, "signedURL": None}
        token = self.token(f"{bucket}/{path}", seconds)
        url = f"/object/sign/{bucket}/{quote(path)}?token={token}"
        return {"error": None, "path": path, "signedURL": url}

    async def signed_read(self, request: Request) -> Response:
        self.use_token(request.query_params.get("token", ""), request)
        name = request.query_params.get("download")
        if name is None:
            return self.stream(request, {})
        said = f" filename={quote(name)}; filename*=UTF-8''{quote(name)}" if name else ""
        return self.stream(request, {"Content-Disposition": f"attachment;{said}"})

    async def sign_upload(self, request: Request) -> Response:
        bucket, key = self.place(request)
        token = self.token(f"{bucket}/{key}", 7200)
        return JSONResponse(
            {"url": f"/object/upload/sign/{bucket}/{quote(key)}?token={token}", "token": token}
        )

    async def signed_upload(self, request: Request) -> Response:
        self.use_token(request.query_params.get("token", ""), request)
        bucket, key = self.place(request)
        blocks = [block async for block in request.stream() if block]
        self.store(f"{bucket}/{key}", blocks, request.headers["content-type"], upsert=False)
        return JSONResponse({"Key": f"{bucket}/{key}"})

    async def tus_options(self, request: Request) -> Response:
        return Response(status_code=204, headers={"Tus-Max-Size": str(1 << 40)})

    async def tus_begin(self, request: Request) -> Response:
        pairs = (pair.split(" ") for pair in request.headers["upload-metadata"].split(","))
        said = {name: base64.b64decode(value).decode() for name, value in pairs}
        path = f"{said['bucketName']}/{said['objectName']}"
        if (
            request.url.path.endswith("/sign")
            and self.tokens.get(request.headers["x-signature"], ("",))[0] != path
        ):
            return PlainTextResponse("Invalid token", 403)
        length = request.headers.get("upload-length")
        if length is None and request.headers.get("upload-defer-length") != "1":
            return PlainTextResponse("Upload-Length or Upload-Defer-Length is required", 400)
        if length and int(length) > self.limits.get(said["bucketName"], 1 << 40):
            return PlainTextResponse("Maximum size exceeded\n", 413)
        token = base64.urlsafe_b64encode(f"{path}/{uuid.uuid4()}".encode()).decode().rstrip("=")
        self.uploads[token] = Upload(path, said["contentType"], int(length) if length else None)
        where = f"https://{request.headers['host']}{request.url.path}/{token}"  # https whatever was asked
        return Response(status_code=201, headers={"Location": where, "Tus-Resumable": "1.0.0"})

    async def tus(self, request: Request) -> Response:
        token = request.path_params["id"].rpartition("/")[2]
        upload = self.uploads.get(token)
        if upload is None:
            return PlainTextResponse("The file for this url was not found", 404)
        if request.method == "DELETE" and not upload.done:
            del self.uploads[token]
            return Response(status_code=204)
        if request.method == "HEAD":
            return Response(headers={"Upload-Offset": str(upload.offset)})
        upload.upsert = request.headers.get("x-upsert") == "true"  # whatever the first request said
        bucket, _, key = upload.key.partition("/")
        if upload.done or (key in self.bucket(bucket) and not upload.upsert):
            return PlainTextResponse("The resource already exists", 409)
        return await self.tus_patch(request, token, upload)

    async def tus_patch(self, request: Request, token: str, upload: Upload) -> Response:
        if int(request.headers["upload-offset"]) != upload.offset:
            return PlainTextResponse("Upload-Offset conflict\n", 409)
        length = request.headers.get("upload-length")
        upload.length = int(length) if length else upload.length
        limit = self.limits.get(upload.key.partition("/")[0], 1 << 40)
        if (upload.length or 0) > limit:
            return PlainTextResponse("Maximum size exceeded\n", 413)
        if upload.offset + int(request.headers["content-length"]) > limit:
            # not waiting for the part, so that the connection breaks under who still sends it
            return PlainTextResponse("Maximum size exceeded\n", 413, headers={"Connection": "close"})
        content = b"".join([block async for block in request.stream()])
        last = upload.length == upload.offset + len(content)
        if len(content) != TUS_PART and not last and upload.offset % TUS_PART == 0:
            return PlainTextResponse("parts have 6 MiB", 400)
        upload.blocks.append(content)
        if last:
            self.store(upload.key, upload.blocks, upload.content_type, upsert=upload.upsert)
            upload.done = True
        return Response(status_code=204, headers={"Upload-Offset": str(upload.offset)})

    def store(self, path: str, blocks: list[bytes], content_type: str, *, upsert: bool) -> None:
        bucket, _, key = path.partition("/")
        objects = self.bucket(bucket)
        if not KEY.fullmatch(key):
            raise Refused(400, "InvalidKey", f"Invalid key: {key}", "InvalidKey")
        if sum(map(len, blocks)) > self.limits.get(bucket, 1 << 40):
            words = "The object exceeded the maximum allowed size"
            raise Refused(413, "Payload too large", words, "EntityTooLarge")
        if key in objects and not upsert:
            raise Refused(*THERE)
        objects[key] = Kept(blocks, content_type)

    def stream(self, request: Request, headers: dict[str, str]) -> Response:
        kept = self.kept(request)
        start, end, status = 0, kept.size, 200
        if found := re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", "")):
            start, end = int(found[1]), min(int(found[2] or kept.size) + bool(found[2]), kept.size)
            if start >= kept.size:
                raise Refused(416, "invalid_range", "invalid range provided", "InvalidRange", http=416)
            status, headers = 206, {**headers, "Content-Range": f"bytes {start}-{end - 1}/{kept.size}"}
        headers |= {"Content-Type": kept.content_type, "ETag": kept.etag, "Content-Length": str(end - start)}
        return StreamingResponse(kept.cut(start, end), status, headers)

    def token(self, path: str, seconds: int) -> str:
        token = secrets.token_urlsafe(16)
        self.tokens[token] = (path, time.time() + seconds)
        return token

    def use_token(self, token: str, request: Request) -> None:
        path, until = self.tokens.get(token, ("", 0.0))
        if path != "/".join(self.place(request)) or until < time.time():
            raise Refused(400, "InvalidJWT", '"exp" claim timestamp check failed', "InvalidJWT")

    def place(self, request: Request) -> tuple[str, str]:
        return request.path_params["bucket"], request.path_params["key"]

    def bucket(self, name: str) -> dict[str, Kept]:
        if name not in self.buckets:
            raise Refused(*NO_BUCKET)
        return self.buckets[name]

    def kept(self, request: Request) -> Kept:
        bucket, key = self.place(request)
        if key not in self.bucket(bucket):
            raise Refused(*NO_KEY)
        return self.buckets[bucket][key]


def app(stand: StandIn) -> Starlette:
    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        return error.answer

    made = Starlette(routes=stand.routes(), exception_handlers={Refused: refused})
    inner = made.build_middleware_stack()

    async def swallow(message):
        """An answer that nobody gets."""

    async def outer(scope, receive, send):
        if scope["type"] != "http":
            return
        path = scope["path"].removeprefix("/storage/v1")  # as a project has it, or as the bare server
        scope = {**scope, "path": path, "raw_path": path.encode()}
        request = Request(scope)
        stand.asked.append((request.method, request.url.path))
        if stand.trouble.get(request.method):
            status = stand.trouble[request.method].pop(0)
            await (JSONResponse({"message": "made to fail"}, status))(scope, receive, send)
            return
        signed = "/sign" in request.url.path and not (
            request.method == "POST" and "/object/" in request.url.path
        )
        if not signed and request.headers.get("authorization") != f"Bearer {SERVICE_KEY}":
            said = {"statusCode": "403", "error": "Unauthorized", "message": "Invalid Compact JWS"}
            await JSONResponse({**said, "code": "AccessDenied"}, 400)(scope, receive, send)
            return
        if stand.lost.get(request.method):
            await inner(scope, receive, swallow)
            status = stand.lost[request.method].pop(0)
            await (JSONResponse({"message": "made to be lost"}, status))(scope, receive, send)
            return
        await inner(scope, receive, send)

    made.middleware_stack = outer
    return made


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """A running one, on a port of its own."""
    stand = StandIn()
    listener = socket.create_server(("127.0.0.1", 0))
    stand.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(app(stand), log_config=None, lifespan="off", ws="none"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    thread.start()
    try:
        yield stand
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def stamp(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
