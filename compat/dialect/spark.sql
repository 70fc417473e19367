-- Statements as Spark's and Paimon's documentation write them for Spark SQL; marks as in flink.sql.

--@ ok
USE paimon.default;
--@ ok
USE paimon;
--@ ok
CREATE DATABASE IF NOT EXISTS spark;
--@ ok
USE DATABASE spark;
--@ ok
CREATE TABLE my_table (
    user_id BIGINT,
    item_id BIGINT,
    behavior STRING,
    dt STRING,
    hh STRING
) TBLPROPERTIES (
    'primary-key' = 'dt,hh,user_id'
);
--@ ok
DROP TABLE my_table;
--@ ok
CREATE TABLE my_table (
    user_id BIGINT,
    item_id BIGINT,
    behavior STRING,
    dt STRING,
    hh STRING
) PARTITIONED BY (dt, hh) TBLPROPERTIES (
    'primary-key' = 'dt,hh,user_id', 'bucket' = '1'
);
--@ refused: LOCATION is not supported
CREATE TABLE my_located (
    user_id BIGINT,
    dt STRING
) PARTITIONED BY (dt) TBLPROPERTIES (
    'primary-key' = 'dt,user_id'
) LOCATION '/path/to/table';
--@ refused: LOCATION is not supported
CREATE TABLE my_located LOCATION '/path/to/table';
--@ ok
CREATE TABLE spark_types (
    id INT COMMENT 'the key', a TINYINT, b SMALLINT, c FLOAT, d DOUBLE, e DECIMAL(10, 2), f BINARY(3),
    g TIMESTAMP, h TIMESTAMP_NTZ, i ARRAY<STRING>, j STRUCT<a: INT, b: STRING COMMENT 'inner'>,
    k MAP<STRING, INT>, l DATE, m LONG, n SHORT, o BYTE, p REAL, pt STRING
) USING paimon
COMMENT 'types of Spark'
PARTITIONED BY (pt)
TBLPROPERTIES ('primary-key' = 'id,pt', 'bucket' = '2');
--@ ok
DESCRIBE TABLE EXTENDED spark_types;
--@ refused: USING csv is not supported
CREATE TABLE csv_table (a INT) USING csv;
--@ ok
CREATE TABLE hive_style (a INT) USING paimon PARTITIONED BY (dt STRING, hh INT);
--@ refused: PARTITIONED BY bucket(…) is not supported
CREATE TABLE transformed (a INT) USING paimon PARTITIONED BY (bucket(4, a));
--@ refused: CREATE EXTERNAL TABLE is not supported
CREATE EXTERNAL TABLE ext (a INT) LOCATION '/x';

-- AS SELECT

--@ ok
CREATE TABLE my_source (
     user_id BIGINT,
     item_id BIGINT
);
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
INSERT INTO my_table_partition VALUES (1, 10, 'buy', 'd1', 'h1'), (2, 20, 'pv', 'd2', 'h2');
--@ ok
CREATE TABLE my_table_partition_as PARTITIONED BY (dt) AS SELECT * FROM my_table_partition;
--@ ok
CREATE TABLE my_table_options (
       user_id BIGINT,
       item_id BIGINT
) TBLPROPERTIES ('file.format' = 'orc');
--@ ok
CREATE TABLE my_table_options_as TBLPROPERTIES ('file.format' = 'parquet') AS SELECT * FROM my_source;
--@ ok
CREATE TABLE my_table_pk_as TBLPROPERTIES ('primary-key' = 'dt', 'bucket' = '1') AS SELECT * FROM my_table_partition;
--@ ok
CREATE TABLE my_table_all_as PARTITIONED BY (dt) TBLPROPERTIES ('primary-key' = 'dt,hh', 'bucket' = '1') AS SELECT * FROM my_table_partition;
--@ ok
CREATE TABLE using_as USING paimon TBLPROPERTIES (primary-key = 'user_id', bucket = 1) AS SELECT * FROM my_source;
--@ ok
CREATE TABLE like_table LIKE my_table USING paimon TBLPROPERTIES ('bucket' = '3');

-- Views

--@ ok
CREATE TEMPORARY VIEW v1 AS SELECT * FROM my_source;
--@ ok
CREATE OR REPLACE TEMPORARY VIEW v1 AS SELECT user_id FROM my_source;
--@ refused: CREATE TEMPORARY VIEW
CREATE VIEW spark.v2 AS SELECT * FROM my_source;
--@ refused: CREATE TEMPORARY VIEW
CREATE OR REPLACE VIEW spark.v2 AS SELECT * FROM my_source;
--@ ok
SHOW VIEWS LIKE 'v*';
--@ ok
DROP VIEW v1;

-- Tags

--@ refused: CREATE TAG is not supported
ALTER TABLE my_source CREATE TAG `TAG-1`;
--@ refused: CREATE TAG is not supported
ALTER TABLE my_source CREATE TAG IF NOT EXISTS `TAG-1`;
--@ refused: REPLACE TAG is not supported
ALTER TABLE my_source REPLACE TAG `TAG-4` AS OF VERSION 2 RETAIN 24 HOURS;
--@ refused: CREATE OR is not supported
ALTER TABLE my_source CREATE OR REPLACE TAG `TAG-5` AS OF VERSION 2 RETAIN 24 HOURS;
--@ refused: DELETE TAG is not supported
ALTER TABLE my_source DELETE TAG `TAG-1`;
--@ refused: RENAME TAG is not supported
ALTER TABLE my_source RENAME TAG `TAG-1` TO `TAG-2`;
--@ refused: SHOW TAGS is not supported
SHOW TAGS my_source;

-- ALTER

--@ ok
ALTER TABLE my_table SET TBLPROPERTIES (
    'write-buffer-size' = '256 MB'
);
--@ ok
ALTER TABLE my_table UNSET TBLPROPERTIES ('write-buffer-size');
--@ ok
ALTER TABLE my_table UNSET TBLPROPERTIES IF EXISTS ('write-buffer-size');
--@ ok
ALTER TABLE my_table SET TBLPROPERTIES (
    'comment' = 'table comment'
    );
--@ ok
ALTER TABLE my_table UNSET TBLPROPERTIES ('comment');
--@ ok
CREATE TABLE evolving (c0 INT, b INT, col_a INT, col_b INT, buy_count BIGINT,
    v STRUCT<f1: STRING, f2: INT>, va ARRAY<STRUCT<f1: STRING, f2: INT>>, vm MAP<INT, STRUCT<f1: STRING, f2: INT>>);
--@ ok
INSERT INTO evolving (c0, b) VALUES (1, 2);
--@ ok
ALTER TABLE evolving RENAME TO evolved;
--@ ok
ALTER TABLE evolved RENAME TO spark.evolving;
--@ ok
ALTER TABLE evolving ADD COLUMNS (
    c1 INT,
    c2 STRING
);
--@ ok
ALTER TABLE evolving ADD COLUMN v.f3 STRING;
--@ ok
ALTER TABLE evolving ADD COLUMN va.element.f3 STRING;
--@ ok
ALTER TABLE evolving ADD COLUMN vm.value.f3 STRING;
--@ ok
ALTER TABLE evolving RENAME COLUMN c0 TO c10;
--@ ok
ALTER TABLE evolving RENAME COLUMN v.f1 to f100;
--@ ok
ALTER TABLE evolving RENAME COLUMN va.element.f1 to f100;
--@ ok
ALTER TABLE evolving RENAME COLUMN vm.value.f1 to f100;
--@ ok
ALTER TABLE evolving DROP COLUMNS (c1, c2);
--@ ok
ALTER TABLE evolving DROP COLUMN v.f2;
--@ ok
ALTER TABLE evolving DROP COLUMN va.element.f3;
--@ ok
ALTER TABLE evolving DROP COLUMN vm.value.f3;
--@ ok
ALTER TABLE evolving ALTER COLUMN buy_count COMMENT 'buy count';
--@ ok
ALTER TABLE evolving ADD COLUMN c INT FIRST;
--@ ok
ALTER TABLE evolving ADD COLUMN d INT AFTER b;
--@ ok
ALTER TABLE evolving ALTER COLUMN col_a FIRST;
--@ ok
ALTER TABLE evolving ALTER COLUMN col_a AFTER col_b;
--@ ok
ALTER TABLE evolving ALTER COLUMN col_a TYPE DOUBLE;
--@ ok
ALTER TABLE evolving ALTER COLUMN va.element.f2 TYPE BIGINT;
--@ ok
ALTER TABLE evolving ALTER COLUMN vm.value.f2 TYPE BIGINT;
--@ ok
ALTER TABLE evolving ALTER COLUMN b SET DEFAULT 5;
--@ ok
ALTER TABLE evolving ALTER COLUMN b DROP DEFAULT;
--@ refused: cannot become NOT NULL
ALTER TABLE evolving ALTER COLUMN b SET NOT NULL;
--@ ok
SELECT * FROM evolving;
--@ ok
ALTER TABLE my_table_partition DROP PARTITION (`dt` = 'd1', `hh` = 'h1');
--@ refused: ALTER DATABASE is not supported
ALTER DATABASE my_database SET LOCATION 'file:/temp/my_database.db';
--@ refused: ALTER TABLE … SET LOCATION is not supported
ALTER TABLE evolving SET LOCATION '/x';

-- Writes

--@ ok
CREATE TABLE my_pt (id INT, pt STRING) PARTITIONED BY (pt);
--@ ok
INSERT INTO my_pt VALUES (1, 'p1'), (2, 'p2');
--@ ok
SET spark.sql.sources.partitionOverwriteMode=static;
--@ ok
INSERT OVERWRITE my_pt PARTITION (pt) VALUES (3, 'p1');
--@ ok
INSERT OVERWRITE my_pt PARTITION (pt='p1') VALUES (3);
--@ ok
SET spark.sql.sources.partitionOverwriteMode=dynamic;
--@ ok
INSERT OVERWRITE my_pt VALUES (3, 'p1');
--@ ok
INSERT INTO my_pt PARTITION(pt='x') VALUES (9);
--@ ok
INSERT INTO TABLE my_pt SELECT 10, 'y';
--@ refused: INSERT … BY NAME is not supported
INSERT INTO my_pt BY NAME SELECT 3 AS id, 'z' AS pt;
--@ ok
CREATE TABLE target (a INT, b INT, c STRING) TBLPROPERTIES ('primary-key' = 'a', 'bucket' = '2');
--@ ok
CREATE TABLE source (a INT, b INT, c STRING);
--@ ok
INSERT INTO target VALUES (1, 1, 'c1'), (2, 2, 'c2'), (5, 5, 'c5');
--@ ok
INSERT INTO source VALUES (1, 10, 'c0'), (5, 50, 'c50'), (6, 60, 'c60'), (7, 70, 'c99');
--@ ok
MERGE INTO target
USING source
ON target.a = source.a
WHEN MATCHED THEN
UPDATE SET *
WHEN NOT MATCHED
THEN INSERT *;
--@ ok
MERGE INTO target
USING source
ON target.a = source.a
WHEN MATCHED AND target.a = 5 THEN
UPDATE SET b = source.b + target.b
WHEN MATCHED AND source.c > 'c2' THEN
UPDATE SET *
WHEN MATCHED THEN
DELETE
WHEN NOT MATCHED AND c > 'c9' THEN
INSERT (a, b, c) VALUES (a, b * 1.1, c)
WHEN NOT MATCHED THEN
INSERT *;
--@ refused: 'a', which is part of the primary key
UPDATE target SET a = 9 WHERE b = 1;
--@ ok
UPDATE target SET b = 3, c = 'x' WHERE a = 1;
--@ ok
DELETE FROM target WHERE a IN (SELECT a FROM source WHERE b > 50);
--@ ok
UPDATE source SET a = a + 1 WHERE c LIKE 'c%';
--@ ok
DELETE FROM source WHERE a > 6;
--@ refused: WHERE EXISTS
DELETE FROM target USING source WHERE target.a = source.a;
--@ ok
TRUNCATE TABLE my_pt PARTITION (pt = 'x');
--@ ok
TRUNCATE TABLE my_pt;
--@ ok
INSERT INTO my_pt VALUES (1, 'p1');
--@ ok
SET `spark.paimon.write.merge-schema` = false;

-- Queries and auxiliary statements

--@ ok
SELECT * FROM my_source VERSION AS OF 1;
--@ refused: tags are not read
SELECT * FROM my_source VERSION AS OF 'my-tag';
--@ refused: there is no snapshot at or before
SELECT * FROM my_source TIMESTAMP AS OF '2023-06-01 00:00:00.123';
--@ refused: there is no snapshot at or before
SELECT * FROM my_source TIMESTAMP AS OF 1678883047;
--@ ok
SELECT * FROM `my_source$snapshots`;
--@ ok
SET spark.paimon.file.block-size=512M;
--@ ok
RESET spark.paimon.file.block-size;
--@ ok
SET spark.paimon.*.spark.my_source.scan.snapshot-id=1;
--@ ok
SELECT * FROM spark.my_source;
--@ ok
RESET;
--@ ok
DESCRIBE TABLE my_table;
--@ ok
DESCRIBE FORMATTED my_table;
--@ ok
SHOW CREATE TABLE my_table;
--@ ok
SHOW COLUMNS FROM my_table;
--@ ok
SHOW PARTITIONS my_table_partition;
--@ ok
SHOW PARTITIONS my_table_partition PARTITION (dt='d2');
--@ ok
SHOW TBLPROPERTIES my_table;
--@ ok
SHOW TBLPROPERTIES my_table ('bucket');
--@ refused: SHOW TABLE is not supported
SHOW TABLE EXTENDED IN spark LIKE 'test*';
--@ refused: ANALYZE is not supported
ANALYZE TABLE my_table COMPUTE STATISTICS;
--@ ok
REFRESH TABLE my_table;
--@ ok
EXPLAIN EXTENDED SELECT * FROM my_source;
--@ ok
SHOW SCHEMAS;
--@ ok
SHOW TABLES LIKE 'my*';
