-- A shop's orders: made up, written to files, loaded from files, updated, queried.
--
--   cargo run --release -- sql -f examples/quickstart.sql
--
-- Tables go to ./warehouse, files to ./quickstart-data. It can be run again: nothing is made
-- twice, and rows that come again replace their older selves.

CREATE DATABASE IF NOT EXISTS quickstart;
USE quickstart;

-- 1. A million rows as they arrive at a shop: new orders, and later versions of known ones, some
--    of them late; nulls, decimals, Chinese and emoji text. The same seed gives the same rows.
COPY (SELECT * FROM sample_orders(rows => 1000000, seed => 42))
    TO 'quickstart-data/orders.csv';
COPY (SELECT * FROM sample_orders(rows => 1000000, seed => 42))
    TO 'quickstart-data/orders.parquet';

-- 2. A table with one row for each order: a row with a known key replaces the older one.
CREATE TABLE IF NOT EXISTS orders (
    order_id    BIGINT COMMENT 'counts up from 1',
    user_id     BIGINT,
    product     STRING,
    amount      DECIMAL(12, 2),
    status      VARCHAR(20),
    city        STRING,
    note        STRING COMMENT 'what the customer wrote',
    order_time  TIMESTAMP(3),
    update_time TIMESTAMP(3),
    PRIMARY KEY (order_id) NOT ENFORCED
) COMMENT 'the newest state of each order'
WITH (
    'bucket' = '2'
);

-- 3. A table that keeps every row, in one directory for each day.
CREATE TABLE IF NOT EXISTS order_events (
    order_id    BIGINT,
    status      STRING,
    amount      DECIMAL(12, 2),
    update_time TIMESTAMP(3),
    dt          DATE
) PARTITIONED BY (dt);

-- 4. Load one from CSV, the other from Parquet. INSERT OVERWRITE replaces the days it has rows
--    for, so that a second run does not add the events again.
INSERT INTO orders SELECT * FROM 'quickstart-data/orders.csv';

INSERT OVERWRITE order_events
SELECT order_id, status, amount, update_time, CAST(update_time AS DATE)
FROM 'quickstart-data/orders.parquet';

SHOW TABLES;
DESCRIBE orders;
SELECT count(*) AS orders FROM orders;
SELECT count(*) AS events FROM order_events;

-- 5. Upsert 200,000 rows: 140,000 orders get a new state, nothing else changes.
INSERT INTO orders
SELECT order_id, user_id, product, amount * 0.9, 'discounted', city, note, order_time,
       update_time + INTERVAL '1' DAY
FROM sample_orders(rows => 200000, seed => 42);

SELECT count(*) AS orders, sum(amount) AS amount FROM orders;

SELECT status, count(*) AS orders, sum(amount) AS amount
FROM orders
GROUP BY status
ORDER BY orders DESC;

SELECT city, count(*) AS orders, count(note) AS notes, round(avg(amount), 2) AS average
FROM orders
WHERE city IS NOT NULL
GROUP BY city
ORDER BY orders DESC, city
LIMIT 5;

-- 6. Only one day's directory is read.
SELECT dt, count(*) AS events, count(DISTINCT order_id) AS orders
FROM order_events
WHERE dt = DATE '2024-01-05'
GROUP BY dt;

-- 7. Only one order: the key decides which files and which parts of them are read.
SELECT order_id, product, amount, status, note FROM orders WHERE order_id = 4711;

-- 8. Table and file together.
SELECT o.status AS now, e.status AS then_, count(*) AS orders
FROM orders AS o
JOIN 'quickstart-data/orders.parquet' AS e ON o.order_id = e.order_id
WHERE o.order_id BETWEEN 100000 AND 100999
GROUP BY o.status, e.status
ORDER BY orders DESC, now, then_
LIMIT 5;
