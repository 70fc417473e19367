-- Statements as Flink's and Paimon's documentation write them for Flink SQL, each with what becomes
-- of it here. A line `--@ ok` or `--@ refused: words of the message` stands before each statement;
-- `${WAREHOUSE}` is a directory of the test. All run in order, in one session.

-- Catalogs

--@ ok
CREATE CATALOG my_catalog WITH (
    'type' = 'paimon',
    'warehouse' = '${WAREHOUSE}/one'
);
--@ ok
USE CATALOG my_catalog;
--@ refused: hdfs:///path/to/warehouse
CREATE CATALOG hdfs_catalog WITH (
    'type' = 'paimon',
    'warehouse' = 'hdfs:///path/to/warehouse'
);
--@ refused: 'metastore' = 'hive' is not supported
CREATE CATALOG my_hive WITH (
    'type' = 'paimon',
    'metastore' = 'hive',
    -- 'uri' = 'thrift://<hive-metastore-host-name>:<port>', default use 'hive.metastore.uris' in HiveConf
    -- 'hive-conf-dir' = '...', this is recommended in the kerberos environment
    -- 'hadoop-conf-dir' = '...', this is recommended in the kerberos environment
    -- 'warehouse' = 'hdfs:///path/to/warehouse', default use 'hive.metastore.warehouse.dir' in HiveConf
);
--@ refused: 'metastore' = 'jdbc' is not supported
CREATE CATALOG my_jdbc WITH (
    'type' = 'paimon',
    'metastore' = 'jdbc',
    'uri' = 'jdbc:mysql://<host>:<port>/<databaseName>',
    'jdbc.user' = '...', 
    'jdbc.password' = '...', 
    'catalog-key'='jdbc',
    'warehouse' = 'hdfs:///path/to/warehouse'
);
--@ refused: 'type' = 'paimon' is known
CREATE CATALOG my_generic WITH (
    'type'='paimon-generic',
    'hive-conf-dir'='...',
    'hadoop-conf-dir'='...'
);
--@ refused: did you mean 'warehouse'
CREATE CATALOG wrong WITH ('type' = 'paimon', 'warehous' = '/x');
--@ refused: needs the option 'warehouse'
CREATE CATALOG wrong WITH ('type' = 'paimon');
--@ refused: already exists
CREATE CATALOG my_catalog WITH ('type' = 'paimon', 'warehouse' = '${WAREHOUSE}/one');
--@ ok
CREATE CATALOG IF NOT EXISTS my_catalog WITH ('type' = 'paimon', 'warehouse' = '${WAREHOUSE}/one');
--@ ok
CREATE CATALOG `second-catalog` WITH (
    'type' = 'paimon',
    'warehouse' = 'file:${WAREHOUSE}/two',
    'table-default.file.compression' = 'snappy',
    'cache-enabled' = 'false'
);
--@ ok
SHOW CATALOGS;
--@ ok
SHOW CATALOGS LIKE 'my%';
--@ ok
SHOW CURRENT CATALOG;
--@ ok
SHOW CURRENT DATABASE;
--@ ok
SHOW CREATE CATALOG my_catalog;
--@ ok
DESCRIBE CATALOG my_catalog;
--@ ok
DESC CATALOG EXTENDED my_catalog;
--@ refused: ALTER CATALOG is not supported
ALTER CATALOG my_catalog SET ('a' = 'b');
--@ refused: catalog 'nowhere' does not exist
USE CATALOG nowhere;

-- Databases

--@ ok
CREATE DATABASE IF NOT EXISTS db1;
--@ ok
CREATE DATABASE `second-catalog`.`db-2`;
--@ refused: a database with COMMENT is not supported
CREATE DATABASE db3 COMMENT 'text' WITH ('k' = 'v');
--@ ok
SHOW DATABASES;
--@ ok
SHOW DATABASES FROM `second-catalog` LIKE 'db%';
--@ ok
SHOW DATABASES NOT LIKE 'db%';
--@ ok
DESCRIBE DATABASE db1;
--@ refused: database 'nowhere' does not exist
DESC DATABASE nowhere;
--@ ok
USE db1;
--@ ok
USE `second-catalog`.`db-2`;
--@ ok
USE my_catalog.db1;
--@ refused: ALTER DATABASE is not supported
ALTER DATABASE my_database SET ('location' =  'file:/temp/my_database');

-- Tables

--@ ok
CREATE TABLE my_table (
    user_id BIGINT,
    item_id BIGINT,
    behavior STRING,
    dt STRING,
    hh STRING,
    PRIMARY KEY (dt, hh, user_id) NOT ENFORCED
);
--@ ok
DROP TABLE my_table;
--@ ok
CREATE TABLE my_table (
    user_id BIGINT,
    item_id BIGINT,
    behavior STRING,
    dt STRING,
    hh STRING,
    PRIMARY KEY (dt, hh, user_id) NOT ENFORCED
) PARTITIONED BY (dt, hh);
--@ ok
CREATE TABLE IF NOT EXISTS my_table (other INT);
--@ refused: already exists
CREATE TABLE my_table (other INT);
--@ ok
CREATE TABLE word_count (
    word STRING PRIMARY KEY NOT ENFORCED,
    cnt BIGINT
);
--@ ok
CREATE TABLE with_connector (a INT) WITH ('connector' = 'paimon');
--@ refused: use CREATE TEMPORARY TABLE
CREATE TABLE kafka_table (a INT) WITH ('connector' = 'kafka', 'topic' = 't');
--@ ok
CREATE TABLE clustered (
    a STRING,
    b STRING,
    c STRING,
) WITH (
  'sink.clustering.by-columns' = 'a,b',
);
--@ ok
CREATE TABLE everything (
    `id` BIGINT NOT NULL COMMENT 'the key',
    f_boolean BOOLEAN, f_tinyint TINYINT, f_smallint SMALLINT, f_int INT, f_integer INTEGER,
    f_float FLOAT, f_double DOUBLE PRECISION, f_decimal DECIMAL(12, 2), f_numeric NUMERIC(5),
    f_char CHAR(3), f_varchar VARCHAR(20), f_string STRING, f_binary BINARY(4), f_varbinary VARBINARY(9),
    f_bytes BYTES, f_date DATE, f_time TIME(3), f_timestamp TIMESTAMP(3),
    f_ltz TIMESTAMP_LTZ(3), f_with_zone TIMESTAMP(6) WITH LOCAL TIME ZONE,
    f_array ARRAY<INT NOT NULL>, f_int_array INT ARRAY, f_map MAP<STRING, BIGINT>,
    f_multiset MULTISET<STRING>, f_row ROW<a INT COMMENT 'one', b ROW<c STRING 'two'>>,
    f_row2 ROW(a INT, b ARRAY<STRING>), dt STRING,
    PRIMARY KEY (`id`, dt) NOT ENFORCED
) COMMENT 'all types'
PARTITIONED BY (dt)
WITH ('bucket' = '2', 'merge-engine' = 'deduplicate', 'sink.parallelism' = '4');
--@ ok
INSERT INTO everything (`id`, dt, f_array, f_map, f_row2, f_bytes, f_timestamp, f_date)
VALUES (1, 'd', ARRAY[1, 2], MAP['a', 1, 'b', 2], ROW(1, ARRAY['x']), X'00ff',
    TIMESTAMP '2024-01-01 00:00:00.123', DATE '2024-02-29');
--@ ok
SELECT f_array[1], f_map['a'], f_row2.a, f_timestamp + INTERVAL '1' DAY FROM everything;
--@ refused: did you mean 'bucket'
CREATE TABLE misspelt (a INT) WITH ('buckett' = '2');
--@ refused: PRIMARY KEY needs NOT ENFORCED
CREATE TABLE enforced (a INT PRIMARY KEY);
--@ refused: computed column 'cost' is not supported
CREATE TABLE computed (price DOUBLE, quantity DOUBLE, cost AS price * quantity);
--@ refused: METADATA column 'record_time' is not supported
CREATE TABLE metadata (`user_id` BIGINT, `record_time` TIMESTAMP_LTZ(3) METADATA FROM 'timestamp');
--@ ok
CREATE TABLE with_watermark (
    k INT,
    ts TIMESTAMP(3),
    WATERMARK FOR ts AS ts - INTERVAL '5' SECOND,
    PRIMARY KEY (k) NOT ENFORCED
) WITH ('bucket' = '1');
--@ refused: DISTRIBUTED BY is not supported
CREATE TABLE distributed (uid BIGINT, name STRING) DISTRIBUTED BY HASH(uid) INTO 4 BUCKETS;
--@ refused: CREATE OR REPLACE TABLE is not supported
CREATE OR REPLACE TABLE my_table (a INT);
--@ refused: 'file.format'
CREATE TABLE bad_format (a INT) WITH ('file.format' = 'excel');
--@ ok
CREATE TABLE my_table_stats (a INT, b STRING) WITH ('metadata.stats-mode' = 'full', 'fields.b.stats-mode' = 'counts');
--@ ok
CREATE TABLE many_buckets (a INT PRIMARY KEY NOT ENFORCED) WITH ('bucket' = '1000');
--@ ok
CREATE TABLE my_partitioned_table (
    f0 INT,
    f1 INT,
    f2 INT,
    dt STRING
) PARTITIONED BY (dt) WITH (
    'partition.timestamp-formatter'='yyyyMMdd',
    'partition.timestamp-pattern'='$dt',
    'partition.time-interval'='1 d',
    'partition.idle-time-to-done'='15 m',
    'partition.mark-done-action'='done-partition'
);
--@ ok
CREATE TABLE expiring (dt STRING, v INT) PARTITIONED BY (dt) WITH (
    'partition.expiration-time' = '7 d',
    'partition.expiration-check-interval' = '1 d',
    'partition.timestamp-formatter' = 'yyyyMMdd'
);
--@ refused: add PARTITIONED BY (ds)
CREATE TABLE not_partitioned (ds STRING, v INT) WITH (
    'partition.expiration-time' = '7 d',
    'partition.timestamp-pattern' = '$ds'
);

-- AS SELECT, LIKE

--@ ok
CREATE TABLE my_source (user_id BIGINT, item_id BIGINT);
--@ ok
INSERT INTO my_source VALUES (1, 10), (2, 20);
--@ ok
CREATE TABLE my_table_as AS SELECT * FROM my_source;
--@ ok
CREATE TABLE my_table_partition (
     user_id BIGINT,
     item_id BIGINT,
     behavior STRING,
     dt STRING,
     hh STRING
) PARTITIONED BY (dt, hh);
--@ ok
INSERT INTO my_table_partition VALUES (1, 10, 'buy', '2024-01-01', '01'), (2, 20, 'pv', '2024-01-02', '02');
--@ ok
CREATE TABLE my_table_partition_as WITH ('partition' = 'dt') AS SELECT * FROM my_table_partition;
--@ ok
CREATE TABLE my_table_options (
       user_id BIGINT,
       item_id BIGINT
) WITH ('file.format' = 'orc');
--@ refused: writes only parquet data files
INSERT INTO my_table_options VALUES (1, 1);
--@ ok
CREATE TABLE my_table_options_as WITH ('file.format' = 'parquet') AS SELECT * FROM my_source;
--@ ok
CREATE TABLE my_table_pk (
      user_id BIGINT,
      item_id BIGINT,
      behavior STRING,
      dt STRING,
      hh STRING,
      PRIMARY KEY (dt, hh, user_id) NOT ENFORCED
) WITH ('bucket' = '1');
--@ ok
INSERT INTO my_table_pk VALUES (1, 10, 'buy', '2024-01-01', '01');
--@ ok
CREATE TABLE my_table_pk_as WITH ('primary-key' = 'dt,hh', 'bucket' = '1') AS SELECT * FROM my_table_pk;
--@ ok
CREATE TABLE my_table_pk_dynamic WITH ('primary-key' = 'dt,hh') AS SELECT * FROM my_table_pk;
--@ ok
SELECT * FROM my_table_pk_dynamic;
--@ ok
CREATE TABLE my_table_all_as WITH ('primary-key' = 'dt,hh', 'partition' = 'dt', 'bucket' = '1') AS SELECT * FROM my_table_pk;
--@ refused: 'primary-key'
CREATE TABLE twice (a INT PRIMARY KEY NOT ENFORCED) WITH ('primary-key' = 'a');
--@ ok
CREATE TABLE renamed_columns (PRIMARY KEY (word) NOT ENFORCED) WITH ('bucket' = '1')
AS SELECT 'a' AS word, COUNT(*) AS cnt FROM my_source;
--@ ok
CREATE TABLE reordered (item_id, user_id) AS SELECT * FROM my_source;
--@ refused: Divide by zero
CREATE TABLE failing AS SELECT user_id / (item_id - item_id) AS x FROM my_source;
--@ refused: does not exist
SELECT * FROM failing;
--@ refused: already exists
CREATE TABLE my_table_as AS SELECT 1 AS a;
--@ ok
CREATE TABLE IF NOT EXISTS my_table_as AS SELECT 1 AS a;
--@ ok
CREATE TABLE my_table_like LIKE my_table (EXCLUDING OPTIONS);
--@ ok
CREATE TABLE my_table_like2 (extra INT) WITH ('bucket' = '3') LIKE my_table (INCLUDING ALL OVERWRITING OPTIONS);
--@ ok
CREATE TABLE my_table_like3 LIKE my_table (EXCLUDING PARTITIONS EXCLUDING CONSTRAINTS);

-- Temporary tables and views

--@ ok
COPY (SELECT user_id AS k, 'v' || CAST(user_id AS STRING) AS v FROM my_source) TO '${WAREHOUSE}/temp_table.csv' OPTIONS ('format.has_header' 'false');
--@ ok
CREATE TEMPORARY TABLE temp_table (
    k INT,
    v STRING
) WITH (
    'connector' = 'filesystem',
    'path' = '${WAREHOUSE}/temp_table.csv',
    'format' = 'csv'
);
--@ ok
SELECT my_source.user_id, temp_table.v FROM my_source JOIN temp_table ON my_source.user_id = temp_table.k;
--@ refused: 'connector' = 'datagen' is not supported
CREATE TEMPORARY TABLE word_table (
    word STRING
) WITH (
    'connector' = 'datagen',
    'fields.word.length' = '1'
);
--@ refused: there is no connector 'nothing'
CREATE TEMPORARY TABLE x (a INT) WITH ('connector' = 'nothing');
--@ refused: 'format' = 'avro' is not supported
CREATE TEMPORARY TABLE x (a INT) WITH ('connector' = 'filesystem', 'path' = '/x', 'format' = 'avro');
--@ refused: did you mean 'csv.field-delimiter'
CREATE TEMPORARY TABLE x (a INT) WITH ('connector' = 'filesystem', 'path' = '/x', 'format' = 'csv', 'csv.field-delimeter' = ';');
--@ ok
CREATE TEMPORARY TABLE sink (a BIGINT, b BIGINT) WITH ('connector' = 'blackhole');
--@ ok
INSERT INTO sink SELECT * FROM my_source;
--@ ok
CREATE TEMPORARY TABLE print_table WITH ('connector' = 'print') LIKE my_source (EXCLUDING ALL);
--@ ok
INSERT INTO print_table SELECT * FROM my_source;
--@ refused: it keeps no rows
SELECT * FROM print_table;
--@ ok
CREATE TEMPORARY VIEW v1 AS SELECT user_id, item_id * 2 AS twice FROM my_source;
--@ ok
CREATE TEMPORARY VIEW IF NOT EXISTS v1 AS SELECT 1;
--@ ok
CREATE TEMPORARY VIEW v2 (a, b) COMMENT 'named' AS SELECT * FROM v1 WHERE twice > 20;
--@ ok
SELECT * FROM v2;
--@ refused: CREATE TEMPORARY VIEW
CREATE VIEW v3 AS SELECT * FROM my_source;
--@ refused: does not exist
CREATE TEMPORARY VIEW v4 AS SELECT * FROM nowhere;
--@ ok
SHOW VIEWS;
--@ ok
SHOW CREATE VIEW v2;
--@ ok
DESCRIBE v2;
--@ refused: DROP TEMPORARY
DROP TABLE temp_table;
--@ ok
DROP TEMPORARY TABLE temp_table;
--@ ok
DROP TEMPORARY VIEW v2;
--@ ok
DROP TEMPORARY VIEW IF EXISTS v2;
--@ refused: does not exist
DROP TEMPORARY VIEW v2;
--@ refused: CREATE FUNCTION is not supported
CREATE TEMPORARY FUNCTION f AS 'org.example.F';

-- SHOW and DESCRIBE

--@ ok
SHOW TABLES;
--@ ok
SHOW TABLES FROM my_catalog.db1 LIKE 'my_table%';
--@ ok
SHOW TABLES IN db1 NOT LIKE '%pk%';
--@ ok
SHOW CREATE TABLE my_table;
--@ ok
SHOW COLUMNS FROM my_table;
--@ ok
SHOW COLUMNS IN my_table FROM my_catalog.db1 LIKE '%id';
--@ ok
SHOW PARTITIONS my_table_partition;
--@ ok
SHOW PARTITIONS my_table_partition PARTITION (dt = '2024-01-01');
--@ refused: has no partitions
SHOW PARTITIONS my_source;
--@ ok
SHOW OPTIONS my_table_pk;
--@ ok
SHOW FUNCTIONS;
--@ ok
SHOW USER FUNCTIONS;
--@ ok
SHOW FUNCTIONS LIKE 'sum%';
--@ refused: SHOW JOBS is not supported
SHOW JOBS;
--@ refused: SHOW MODULES is not supported
SHOW MODULES;
--@ refused: SHOW FULL is not supported
SHOW FULL MODULES;
--@ refused: SHOW JARS is not supported
SHOW JARS;
--@ ok
SHOW PROCEDURES;
--@ ok
DESCRIBE my_table;
--@ ok
DESC my_catalog.db1.my_table;
--@ refused: LOAD is not supported
LOAD MODULE hive WITH ('hive-version' = '3.1.3');
--@ refused: USE MODULES is not supported
USE MODULES core;
--@ refused: ADD is not supported
ADD JAR '/path/hello.jar';

-- INSERT

--@ ok
INSERT INTO my_table_partition PARTITION (dt = '2024-01-01', hh = '02') (user_id, item_id) SELECT 5, 50;
--@ ok
INSERT OVERWRITE my_table_partition PARTITION (dt = '2024-01-01', hh = '01') SELECT user_id, item_id, 'pv' FROM my_source;
--@ ok
INSERT OVERWRITE my_table_partition SELECT 3, 30, 'buy', '2024-01-03', '03';
--@ ok
INSERT OVERWRITE my_table_partition /*+ OPTIONS('dynamic-partition-overwrite' = 'false') */ SELECT 4, 40, 'buy', '2024-01-04', '04';
--@ ok
INSERT OVERWRITE my_table_partition /*+ OPTIONS('dynamic-partition-overwrite'='false') */
PARTITION (dt = '2024-01-04') SELECT user_id, item_id, behavior, hh FROM my_table_partition WHERE false;
--@ ok
INSERT OVERWRITE my_table_as /*+ OPTIONS('dynamic-partition-overwrite'='false') */ SELECT * FROM my_table_as WHERE false;
--@ ok
INSERT INTO my_source /*+ OPTIONS('sink.use-managed-memory-allocator'='true', 'sink.managed.writer-buffer-memory'='256M') */
SELECT 3, 30;
--@ ok
INSERT INTO clustered /*+ OPTIONS('sink.clustering.by-columns' = 'a,b') */ VALUES ('a', 'b', 'c');
--@ refused: there are no statement sets
EXECUTE STATEMENT SET BEGIN;
--@ ok
UPDATE my_table_pk SET item_id = 1 WHERE user_id = 1;
--@ ok
DELETE FROM my_table_pk WHERE user_id = 1;
--@ refused: does not exist
CALL sys.compact(`table` => 'default.T');

-- Hints and time travel

--@ ok
SELECT * FROM my_source /*+ OPTIONS('scan.snapshot-id' = '1') */;
--@ ok
SELECT a.user_id, my_source.item_id FROM my_source /*+ OPTIONS('scan.snapshot-id' = '1') */ AS a JOIN my_source ON a.user_id = my_source.user_id;
--@ ok
SELECT db1.my_source.user_id FROM db1.my_source /*+ OPTIONS('scan.snapshot-id' = '1') */;
--@ refused: there is no snapshot at or before
SELECT * FROM my_source /*+ OPTIONS('scan.timestamp-millis' = '1678883047356') */;
--@ refused: there is no snapshot at or before
SELECT * FROM my_source /*+ OPTIONS('scan.timestamp' = '2023-12-09 23:09:12') */;
--@ refused: option 'scan.tag-name'
SELECT * FROM my_source /*+ OPTIONS('scan.tag-name' = 'my-tag') */;
--@ refused: option 'scan.watermark'
SELECT * FROM my_source /*+ OPTIONS('scan.watermark' = '1678883047356') */;
--@ refused: option 'incremental-between'
SELECT * FROM my_source /*+ OPTIONS('incremental-between' = '12,20') */;
--@ refused: there is no such option
SELECT * FROM my_source /*+ OPTIONS('scan.snapshot' = '1') */;
--@ refused: cannot be changed
SELECT * FROM my_table_pk /*+ OPTIONS('merge-engine' = 'first-row') */;
--@ refused: stands behind no table
SELECT * /*+ OPTIONS('scan.snapshot-id' = '1') */ FROM my_source;
--@ ok
SELECT /*+ BROADCAST(t2) */ t1.user_id FROM my_source t1 JOIN my_source t2 ON t1.user_id = t2.user_id;
--@ refused: there is no hint NO_SUCH_HINT
SELECT /*+ NO_SUCH_HINT(t) */ * FROM my_source;
--@ refused: there is no snapshot at or before
SELECT * FROM my_source FOR SYSTEM_TIME AS OF TIMESTAMP '2023-01-01 00:00:00';
--@ refused: FOR SYSTEM_TIME AS OF
SELECT * FROM my_source AS o JOIN my_table_pk FOR SYSTEM_TIME AS OF o.proc_time AS r ON o.user_id = r.user_id;

-- System tables

--@ ok
SELECT * FROM my_source$snapshots;
--@ ok
SELECT snapshot_id, commit_kind, total_record_count FROM my_table_partition$snapshots ORDER BY snapshot_id;
--@ ok
SELECT * FROM my_source$schemas;
--@ ok
SELECT * FROM my_table_pk$options;
--@ ok
SELECT * FROM my_table_pk$files;
--@ ok
SELECT * FROM my_source$files /*+ OPTIONS('scan.snapshot-id'='1') */;
--@ ok
SELECT * FROM my_source$manifests;
--@ ok
SELECT * FROM my_table_partition$partitions;
--@ ok
SELECT * FROM my_table_pk$buckets;
--@ ok
DESCRIBE my_source$snapshots;
--@ refused: '$audit_log' is not supported
SELECT * FROM my_source$audit_log;
--@ refused: '$tags' is not supported
SELECT tag_name, snapshot_id, schema_id, record_count FROM my_source$tags;
--@ refused: there is no system table
SELECT * FROM my_source$nothing;
--@ refused: is a system table
INSERT INTO my_source$options VALUES ('a', 'b');

-- ALTER TABLE

--@ ok
ALTER TABLE my_table_pk SET (
    'write-buffer-size' = '256 MB'
);
--@ ok
ALTER TABLE my_table_pk RESET ('write-buffer-size');
--@ ok
ALTER TABLE my_table_pk SET (
    'comment' = 'table comment'
    );
--@ ok
ALTER TABLE my_table_pk RESET ('comment');
--@ refused: cannot be changed once the table has data
ALTER TABLE my_table_pk SET ('merge-engine' = 'aggregation');
--@ refused: cannot be changed when it is -1
ALTER TABLE my_source SET ('bucket' = '4');
--@ refused: cannot be reset
ALTER TABLE my_table_pk RESET ('bucket');
--@ refused: did you mean 'write-only'
ALTER TABLE my_table_pk SET ('write-onyl' = 'true');
--@ refused: the catalog decides where a table lies
ALTER TABLE my_table_pk SET ('path' = '/x');
--@ ok
CREATE TABLE t1 (c0 INT, a INT, b STRING, col_a INT, buy_count BIGINT, log_ts TIMESTAMP(3), coupon_info FLOAT NOT NULL);
--@ ok
INSERT INTO t1 VALUES (1, 2, 'b', 3, 4, TIMESTAMP '2024-01-01 00:00:00', 1.5);
--@ ok
ALTER TABLE t1 RENAME TO t2;
--@ refused: does not exist
SELECT * FROM t1;
--@ ok
ALTER TABLE t2 ADD (c1 INT, c2 STRING);
--@ ok
ALTER TABLE t2 RENAME c0 TO c9;
--@ ok
ALTER TABLE t2 DROP (c1, c2);
--@ ok
ALTER TABLE t2 MODIFY coupon_info FLOAT;
--@ refused: cannot become NOT NULL
ALTER TABLE t2 MODIFY coupon_info FLOAT NOT NULL;
--@ refused: a null in a NOT NULL column fails the statement
SET 'table.exec.sink.not-null-enforcer' = 'DROP';
--@ ok
ALTER TABLE t2 SET ('alter-column-null-to-not-null.disabled' = 'false');
--@ ok
ALTER TABLE t2 MODIFY coupon_info FLOAT NOT NULL;
--@ ok
ALTER TABLE t2 MODIFY buy_count BIGINT COMMENT 'buy count';
--@ ok
ALTER TABLE t2 ADD c INT FIRST;
--@ ok
ALTER TABLE t2 ADD d INT AFTER b;
--@ ok
ALTER TABLE t2 MODIFY col_a DOUBLE FIRST;
--@ ok
ALTER TABLE t2 MODIFY col_a DOUBLE AFTER b;
--@ ok
ALTER TABLE t2 ADD (n ARRAY<MAP<INT, ROW(f1 INT, f2 STRING)>>);
--@ ok
ALTER TABLE t2 MODIFY n ARRAY<MAP<INT, ROW(f1 BIGINT, f3 DOUBLE)>>;
--@ refused: could not be read
ALTER TABLE t2 MODIFY b INT;
--@ refused: computed column 'ts' is not supported
ALTER TABLE t2 ADD (
    ts AS TO_TIMESTAMP(log_ts) AFTER log_ts,
    WATERMARK FOR ts AS ts - INTERVAL '1' HOUR
);
--@ ok
ALTER TABLE t2 ADD WATERMARK FOR log_ts AS log_ts - INTERVAL '1' HOUR;
--@ ok
ALTER TABLE t2 MODIFY WATERMARK FOR log_ts AS log_ts - INTERVAL '2' HOUR;
--@ ok
ALTER TABLE t2 DROP WATERMARK;
--@ ok
SELECT * FROM t2;
--@ ok
INSERT INTO t2 (c9, coupon_info) VALUES (7, 2.5);
--@ refused: a primary key is given when the table is made
ALTER TABLE t2 ADD PRIMARY KEY (a) NOT ENFORCED;
--@ refused: partitions come with their rows
ALTER TABLE my_table_partition ADD PARTITION (dt = '1', hh = '2');
--@ ok
INSERT INTO my_table_partition VALUES (1, 1, 'a', 'd1', 'h1'), (2, 2, 'b', 'd1', 'h2'), (3, 3, 'c', 'd2', 'h1');
--@ ok
ALTER TABLE my_table_partition DROP PARTITION (`dt` = 'd1');
--@ refused: has no partition (dt=d1, hh=h1)
ALTER TABLE my_table_partition DROP PARTITION (`dt` = 'd1', `hh` = 'h1');
--@ refused: has no partition (dt=d1)
ALTER TABLE my_table_partition DROP PARTITION (`dt` = 'd2'), PARTITION (`dt` = 'd1');
--@ ok
ALTER TABLE my_table_partition DROP IF EXISTS PARTITION (`dt` = 'd2'), PARTITION (`dt` = 'd1');
--@ refused: 'v' is no partition column
ALTER TABLE my_table_partition DROP PARTITION (v = 1);
--@ refused: does not exist
ALTER TABLE nowhere SET ('write-only' = 'true');
--@ ok
ALTER TABLE IF EXISTS nowhere SET ('write-only' = 'true');

-- TRUNCATE

--@ ok
TRUNCATE TABLE my_table_pk;
--@ refused: does not exist
TRUNCATE TABLE nowhere;

-- EXPLAIN

--@ ok
EXPLAIN SELECT * FROM my_source WHERE user_id > 1;
--@ ok
EXPLAIN PLAN FOR SELECT user_id, COUNT(*) FROM my_source GROUP BY user_id;
--@ ok
EXPLAIN ANALYZE SELECT * FROM my_source;
--@ ok
EXPLAIN VERBOSE SELECT * FROM my_source;
--@ ok
EXPLAIN INSERT INTO my_source SELECT * FROM my_source;
--@ refused: EXPLAIN ESTIMATED_COST is not supported
EXPLAIN ESTIMATED_COST, CHANGELOG_MODE, JSON_EXECUTION_PLAN SELECT * FROM my_source;

-- Settings

--@ ok
SET 'execution.runtime-mode' = 'batch';
--@ ok
SET 'sql-client.execution.result-mode' = 'tableau';
--@ ok
SET 'execution.checkpointing.interval' = '10 s';
--@ ok
RESET 'execution.checkpointing.interval';
--@ refused: 'execution.runtime-mode' = 'streaming' is not supported
SET 'execution.runtime-mode' = 'streaming';
--@ ok
SET 'table.local-time-zone' = 'Asia/Shanghai';
--@ ok
SET;
--@ ok
SET 'paimon.my_catalog.db1.my_source.scan.snapshot-id' = '1';
--@ ok
SELECT * FROM my_source;
--@ ok
SET 'paimon.*.db1.my_source.scan.snapshot-id' = '2';
--@ refused: there is no setting
SET 'no.such.setting' = '1';
--@ ok
RESET;
--@ ok
DROP DATABASE IF EXISTS nowhere;
--@ refused: CASCADE
DROP DATABASE db1 RESTRICT;
--@ ok
CREATE TABLE `second-catalog`.`db-2`.t AS SELECT * FROM my_catalog.db1.my_source;
--@ ok
SELECT a.user_id FROM `second-catalog`.`db-2`.t AS a JOIN my_source AS b ON a.user_id = b.user_id;
--@ refused: is in use
DROP CATALOG my_catalog;
--@ ok
DROP CATALOG `second-catalog`;
--@ refused: second-catalog
SELECT * FROM `second-catalog`.`db-2`.t;
--@ ok
DROP CATALOG IF EXISTS `second-catalog`;
