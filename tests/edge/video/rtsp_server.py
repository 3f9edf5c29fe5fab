"""An RTSP server of one film, GStreamer's: ``/usr/bin/python3 rtsp_server.py FILM.mkv PORT``.

For the system's Python, whose python3-gi it needs (see rtsp.py). Each film plays from its beginning once somebody asks
for it, in real time, and ends.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

film, port = sys.argv[1:]
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(port)
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(f"( filesrc location={film} ! matroskademux ! h264parse ! rtph264pay name=pay0 pt=96 )")
server.get_mount_points().add_factory("/film", factory)
server.attach(None)
print("ready", flush=True)
GLib.MainLoop().run()
