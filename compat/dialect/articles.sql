-- Definitions and options as articles on Paimon print them; marks as in flink.sql.

--@ ok
CREATE CATALOG `paimon-catalog` WITH ('type' = 'paimon', 'warehouse' = '${WAREHOUSE}/articles');
--@ ok
CREATE DATABASE `paimon-catalog`.`paimon-db`;

-- Buyers and sellers

--@ ok
CREATE TABLE `paimon-catalog`.`paimon-db`.test_dws_pay_refund (
    test_buyer_id VARCHAR,
    test_seller_id VARCHAR,
    test_order_dict VARCHAR, -- format: ${order_id}:${pay_timestamp}_${is_refund_flag}
    PRIMARY KEY (test_buyer_id, test_seller_id) NOT ENFORCED
) WITH (
    'merge-engine' = 'deduplicate',
    'changelog-producer' = 'none',
    'bucket' = '1000',
    'bucket-key' = 'test_buyer_id,test_seller_id',
    'delete-file.thread-num' = '32'
);
--@ ok
INSERT INTO `paimon-catalog`.`paimon-db`.test_dws_pay_refund VALUES ('b', 's', '1:1704067200_0');
--@ ok
SELECT * FROM `paimon-catalog`.`paimon-db`.test_dws_pay_refund WHERE test_buyer_id = 'b' AND test_seller_id = 's';
--@ ok
ALTER TABLE `paimon-catalog`.`paimon-db`.test_dws_pay_refund SET ('write-only' = 'true');
--@ ok
ALTER TABLE `paimon-catalog`.`paimon-db`.test_dws_pay_refund SET ('write-only' = 'false');

-- Daily totals: as printed there are no partitions to expire

--@ refused: add PARTITIONED BY (ds)
CREATE TABLE `paimon-catalog`.`paimon-db`.test_dws_pay_cate1_result (
    `test_buyer_id` BIGINT NOT NULL,
    `test_cate1_id` STRING NOT NULL, -- category level 1
    `ds` STRING NOT NULL,            -- partition date
    `test_order_cnt` BIGINT,
    `test_gmv` DOUBLE,
    PRIMARY KEY (test_buyer_id, test_cate1_id, ds) NOT ENFORCED
) WITH (
    'bucket' = '40',
    'bucket-key' = 'test_buyer_id',
    'changelog-producer' = 'lookup',
    'fields.test_order_cnt.aggregate-function' = 'sum',
    'fields.test_gmv.aggregate-function' = 'sum',
    'merge-engine' = 'aggregation',
    'partition.expiration-time' = '7d',
    'partition.timestamp-formatter' = 'yyyyMMdd',
    'partition.timestamp-pattern' = '$ds'
);
--@ ok
CREATE TABLE `paimon-catalog`.`paimon-db`.test_dws_pay_cate1_result (
    `test_buyer_id` BIGINT NOT NULL,
    `test_cate1_id` STRING NOT NULL, -- category level 1
    `ds` STRING NOT NULL,            -- partition date
    `test_order_cnt` BIGINT,
    `test_gmv` DOUBLE,
    PRIMARY KEY (test_buyer_id, test_cate1_id, ds) NOT ENFORCED
) PARTITIONED BY (ds) WITH (
    'bucket' = '40',
    'bucket-key' = 'test_buyer_id',
    'changelog-producer' = 'lookup',
    'fields.test_order_cnt.aggregate-function' = 'sum',
    'fields.test_gmv.aggregate-function' = 'sum',
    'merge-engine' = 'aggregation',
    'partition.expiration-time' = '7d',
    'partition.timestamp-formatter' = 'yyyyMMdd',
    'partition.timestamp-pattern' = '$ds'
);
--@ ok
INSERT INTO `paimon-catalog`.`paimon-db`.test_dws_pay_cate1_result VALUES (1, 'c', '20240101', 1, 2.5);

-- Partitions that expire

--@ ok
CREATE TABLE `paimon-catalog`.`paimon-db`.T (v INT, dt STRING) PARTITIONED BY (dt) WITH (
'partition.expiration-time' = '7 d',
'partition.expiration-check-interval' = '1 d',
'partition.timestamp-formatter' = 'yyyyMMdd'
);
--@ ok
INSERT INTO `paimon-catalog`.`paimon-db`.T VALUES (1, '20240101');

-- Options that the articles name

--@ ok
ALTER TABLE `paimon-catalog`.`paimon-db`.T SET (
    'write-buffer-spillable' = 'true',
    'num-sorted-run.compaction-trigger' = '5',
    'snapshot.time-retained' = '24 h',
    'write-buffer-size' = '256 mb',
    'orc.write.batch-size' = '1024'
);
--@ refused: set 'bucket' = '-1' instead
CREATE TABLE `paimon-catalog`.`paimon-db`.D (a INT PRIMARY KEY NOT ENFORCED) WITH ('dynamic-bucket' = 'true');
