"""HTTP calls of a batch interface: upload, create, poll, list, download. Transient faults are waited for.

Interface: https://platform.openai.com/docs/api-reference/batch
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rsflow.errors import RsflowError
from rsflow.files.storage import mask_secrets
from rsflow.generation.api.api_access import ApiAccess
from rsflow.generation.api.chat_api import read_error
from rsflow.generation.batch.batch_files import URL

if TYPE_CHECKING:
    import aiohttp

ATTEMPTS = 6
FIRST_WAIT_S = 1.0
TIMEOUT_S = 600.0
METADATA_KEY = "rsflow_note"
PAGE = 100


@dataclass(frozen=True, slots=True)
class BatchClient:
    access: ApiAccess
    first_wait_s: float = FIRST_WAIT_S

    def upload(self, data: bytes) -> str:
        """The id of a new file of requests."""
        form: dict[str, Any] = {"purpose": "batch", "file": data}
        return str(self._call_json("POST", "files", form=form)["id"])

    def create(self, file_id: str, note: str) -> str:
        """The id of a new batch. Not repeated where it is not known whether the vendor has taken it: see `find`."""
        body = {"input_file_id": file_id, "endpoint": URL, "completion_window": "24h", "metadata": {METADATA_KEY: note}}
        return str(self._call_json("POST", "batches", body=body)["id"])

    def find(self, note: str) -> str:
        """The id of the batch that was created for a note; empty where the vendor has none."""
        after = ""
        while True:
            page = self._call_json("GET", f"batches?limit={PAGE}{f'&after={after}' if after else ''}")
            for batch in page["data"]:
                if (batch.get("metadata") or {}).get(METADATA_KEY) == note:
                    return str(batch["id"])
            if not page.get("has_more") or not page["data"]:
                return ""
            after = str(page["data"][-1]["id"])

    def poll(self, batch: str) -> dict[str, Any]:
        return self._call_json("GET", f"batches/{batch}")

    def download(self, file_id: str) -> bytes:
        return asyncio.run(self._call("GET", f"files/{file_id}/content"))

    def _call_json(self, method: str, path: str, **sent: Any) -> dict[str, Any]:
        data = asyncio.run(self._call(method, path, **sent))
        try:
            found = json.loads(data)
            if isinstance(found, dict):
                return found
        except ValueError:
            pass
        raise RsflowError(f"{mask_secrets(self.access.address)}/{path}: expected a JSON object, found {data[:200]!r}")

    async def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, form: dict[str, Any] | None = None
    ) -> bytes:
        import aiohttp

        place = f"{mask_secrets(self.access.address)}/{path}"
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        is_repeatable = method == "GET" or path == "files"  # a second batch would be paid for
        async with aiohttp.ClientSession(timeout=timeout, headers=self.access.headers) as session:
            for attempt in range(ATTEMPTS):
                try:
                    url = f"{self.access.address}/{path}"
                    own = {"json": body} if body is not None else {"data": _form(form)} if form else {}
                    async with session.request(method, url, proxy=self.access.proxy, allow_redirects=False, **own) as reply:
                        data = await reply.read()
                        if reply.status == 200:
                            return data
                        fault = read_error(reply.status, dict(reply.headers), data)
                        detail, retryable, wait = f"HTTP {reply.status}: {fault.detail}", fault.retryable, fault.wait_s
                except (TimeoutError, aiohttp.ClientError) as error:
                    detail, retryable, wait = f"{type(error).__name__}: {error}", is_repeatable, None
                if not retryable or attempt + 1 == ATTEMPTS:
                    break
                await asyncio.sleep(self.first_wait_s * 2**attempt if wait is None else wait)
        raise RsflowError(self.access.mask(f"{place}: {detail}"))


def _form(fields: dict[str, Any]) -> aiohttp.FormData:
    import aiohttp

    form = aiohttp.FormData()
    form.add_field("purpose", fields["purpose"])
    form.add_field("file", fields["file"], filename="requests.jsonl", content_type="application/jsonl")
    return form
