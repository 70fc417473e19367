-- Totals over many days without windows: one row for each buyer, category and day; a query adds up as
-- many days as it wants.
--
--   cargo run --release -- sql -f examples/state-store/daily-totals.sql

CREATE CATALOG IF NOT EXISTS `paimon-catalog` WITH (
    'type' = 'paimon',
    'warehouse' = './state-store'
);
CREATE DATABASE IF NOT EXISTS `paimon-catalog`.`paimon-db`;
USE `paimon-catalog`.`paimon-db`;

-- The table as a streaming job of Flink fills it: Paimon adds up what comes for one key. Expiry needs
-- partitions: without PARTITIONED BY (ds) the statement is refused. This version keeps the definition
-- for other engines; it neither adds up nor expires, so it refuses to read and to write the table.
CREATE TABLE IF NOT EXISTS added_up_by_paimon (
    buyer_id BIGINT NOT NULL,
    cate1_id STRING NOT NULL COMMENT 'category of the first level',
    ds       STRING NOT NULL COMMENT 'day, yyyyMMdd',
    orders   BIGINT,
    gmv      DOUBLE,
    PRIMARY KEY (buyer_id, cate1_id, ds) NOT ENFORCED
) PARTITIONED BY (ds) WITH (
    'bucket' = '2',
    'bucket-key' = 'buyer_id',
    'changelog-producer' = 'lookup',
    'fields.orders.aggregate-function' = 'sum',
    'fields.gmv.aggregate-function' = 'sum',
    'merge-engine' = 'aggregation',
    'partition.expiration-time' = '7d',
    'partition.timestamp-formatter' = 'yyyyMMdd',
    'partition.timestamp-pattern' = '$ds'
);

-- The same totals with what is here: each day is computed from its orders and replaced as a whole.
CREATE TABLE IF NOT EXISTS daily_totals LIKE added_up_by_paimon (EXCLUDING OPTIONS) WITH (
    'bucket' = '2',
    'bucket-key' = 'buyer_id'
);

CREATE TEMPORARY VIEW paid AS
SELECT user_id % 100 AS buyer_id, 'c' || CAST(order_id % 5 AS STRING) AS cate1_id,
       replace(CAST(CAST(order_time AS DATE) AS STRING), '-', '') AS ds, CAST(amount AS DOUBLE) AS amount
FROM sample_orders(rows => 5000, seed => 7)
WHERE user_id IS NOT NULL AND amount IS NOT NULL AND order_time IS NOT NULL;

INSERT OVERWRITE daily_totals
SELECT buyer_id, cate1_id, ds, count(*), sum(amount) FROM paid GROUP BY buyer_id, cate1_id, ds;

-- A tag for each buyer: orders of all days that are kept.
SELECT buyer_id, sum(orders) AS orders FROM daily_totals GROUP BY buyer_id ORDER BY orders DESC, buyer_id LIMIT 3;

-- Which days there are, and how large.
SELECT `partition`, record_count FROM daily_totals$partitions ORDER BY `partition` LIMIT 3;

-- Days that are too old go by hand; a day that is not there is passed over.
ALTER TABLE daily_totals DROP IF EXISTS PARTITION (ds = '20231231'), PARTITION (ds = '20240101');
