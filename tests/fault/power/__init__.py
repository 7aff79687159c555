"""Power cuts and full disks under the edge's own SQLite code: writes are recorded, then replayed as a disk may have kept them."""
