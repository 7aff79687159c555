-- What each request asked (edge_node.queue.asked); none for those of builds before.
ALTER TABLE request ADD COLUMN asked BLOB;
