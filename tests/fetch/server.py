# SPDX-License-Identifier: Apache-2.0
"""A web server on this machine alone for tests: server.py FOLDER. Prints its port, then a line for each request with
its range. What it does is said by the first part of the path:
/plain/FILE with ranges, /norange/FILE without, /cut/FILE closes the connection after half of what it announced,
/file and /away redirect to a file of this machine and to another host, anything else is 404."""
import http.server
import os
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print(self.path, self.headers.get("Range", "-"), flush=True)
        _, mode, *rest = self.path.split("/")
        away = {"file": "file:///etc/hostname", "away": "http://example.invalid/x"}
        if mode in away:
            self.send_response(302)
            self.send_header("Location", away[mode])
            self.end_headers()
            return
        path = os.path.join(sys.argv[1], *rest)
        if mode not in ("plain", "norange", "cut") or not os.path.isfile(path):
            self.send_error(404)
            return
        with open(path, "rb") as file:
            content = file.read()
        start = 0
        if mode != "norange" and "Range" in self.headers:
            start = int(self.headers["Range"].removeprefix("bytes=").split("-")[0])
            if start >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        part = content[start:]
        self.wfile.write(part[: len(part) // 2] if mode == "cut" else part)

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
