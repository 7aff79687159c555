"""Whether this node may act for its office: what it remembers of itself outside its database."""
