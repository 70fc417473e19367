-- A table instead of a streaming job's state: the last orders of each buyer with each seller, so that
-- a refund can fall back to the order before it, however long ago that was.
--
--   cargo run --release -- sql -f examples/state-store/refunds.sql
--
-- It can be run again: rows that come again replace their older selves.

CREATE CATALOG IF NOT EXISTS `paimon-catalog` WITH (
    'type' = 'paimon',
    'warehouse' = './state-store'
);
CREATE DATABASE IF NOT EXISTS `paimon-catalog`.`paimon-db`;
USE `paimon-catalog`.`paimon-db`;

-- One row for each pair. `orders` is a list such as '7:1704067200:0,9:1704153600:1': number of the
-- order, second of its payment, 1 once it was refunded; the newest last, ten at most.
--
-- The bucket key is the whole key: who looks a pair up needs one bucket. How many buckets: the size
-- that the table will have, divided by 1 to 2 GB. Two are enough here; a thousand suit 1 to 2 TB, and
-- CREATE TABLE says so.
CREATE TABLE IF NOT EXISTS last_orders (
    buyer_id  VARCHAR,
    seller_id VARCHAR,
    orders    VARCHAR COMMENT 'number:second:refunded, comma separated',
    PRIMARY KEY (buyer_id, seller_id) NOT ENFORCED
) WITH (
    'merge-engine' = 'deduplicate',
    'changelog-producer' = 'none',
    'bucket' = '2',
    'bucket-key' = 'buyer_id,seller_id',
    'delete-file.thread-num' = '32'
);

-- Three payments.
INSERT INTO last_orders VALUES
    ('anna', 'shoes', '7:1704067200:0'),
    ('anna', 'books', '8:1704070800:0'),
    ('ben',  'shoes', '9:1704153600:0');

-- Anna buys shoes again: the pair's row is replaced by a longer list.
INSERT INTO last_orders VALUES ('anna', 'shoes', '7:1704067200:0,11:1704240000:0');

-- Order 11 is refunded.
INSERT INTO last_orders
SELECT buyer_id, seller_id, replace(orders, '11:1704240000:0', '11:1704240000:1')
FROM last_orders
WHERE buyer_id = 'anna' AND seller_id = 'shoes';

-- The last order that was not refunded: number 7 again, for Anna's shoes.
SELECT buyer_id, seller_id, max(CAST(split_part(o, ':', 1) AS BIGINT)) AS last_order
FROM (SELECT buyer_id, seller_id, unnest(string_to_array(orders, ',')) AS o FROM last_orders) AS listed
WHERE split_part(o, ':', 3) = '0'
GROUP BY buyer_id, seller_id
ORDER BY buyer_id, seller_id;

-- What a lookup of one pair reads: one bucket of two.
EXPLAIN SELECT orders FROM last_orders WHERE buyer_id = 'anna' AND seller_id = 'shoes';

-- While another job compacts the table, its writers leave that alone.
ALTER TABLE last_orders SET ('write-only' = 'true');
ALTER TABLE last_orders RESET ('write-only');
