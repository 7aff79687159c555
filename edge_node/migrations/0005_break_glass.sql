-- What was done with leased seats, and what supervisors answered for, is read from the whole journal at every start.
DROP INDEX fact_of_leases;

CREATE INDEX fact_beyond_the_day ON fact (epoch, seq) WHERE type IN ('lease.sold', 'lease.returned', 'node.break_glass');
