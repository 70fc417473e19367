-- Days that end by themselves: the definition is Paimon's, and the next engine that expires
-- partitions acts on it. This version keeps the options, says so, and drops partitions by statement.
--
--   cargo run --release -- sql -f examples/state-store/expiry.sql

CREATE CATALOG IF NOT EXISTS `paimon-catalog` WITH (
    'type' = 'paimon',
    'warehouse' = './state-store'
);
CREATE DATABASE IF NOT EXISTS `paimon-catalog`.`paimon-db`;
USE `paimon-catalog`.`paimon-db`;

CREATE TABLE IF NOT EXISTS visits (
    user_id BIGINT,
    page    STRING,
    dt      STRING
) PARTITIONED BY (dt) WITH (
    'partition.expiration-time' = '7 d',
    'partition.expiration-check-interval' = '1 d',
    'partition.timestamp-formatter' = 'yyyyMMdd'
);

INSERT OVERWRITE visits VALUES
    (1, 'start', '20240101'), (2, 'start', '20240101'),
    (1, 'cart', '20240102'),
    (3, 'start', '20240109');

SHOW PARTITIONS visits;
ALTER TABLE visits DROP PARTITION (dt = '20240101');
SELECT dt, count(*) AS visits FROM visits GROUP BY dt ORDER BY dt;
