use crate::golden::java_files;
use crate::files::*;
use crate::canonical::line;
use headwater_format::WriteOptions;
#[test]
fn export() {
    let out = std::path::Path::new("/tmp/fmt_export");
    std::fs::create_dir_all(out).unwrap();
    let mut n = 0;
    let mut index = String::new();
    for (table, path, fields) in java_files() {
        for c in ["zstd", "lz4", "gzip", "snappy", "lz4_raw", "none"] {
            if c != "zstd" && !table.starts_with("types_parquet") { continue; }
            let rows = decode(bytes_of(&path), &fields, 1000).unwrap();
            let (bytes, _) = encode(&fields, &rows, &WriteOptions { compression: c.to_owned(), page_rows: 16, ..Default::default() });
            std::fs::write(out.join(format!("{n}.parquet")), &bytes).unwrap();
            let mut lines = String::new();
            for b in &rows { for r in 0..b.num_rows() { lines.push_str(&line(&fields, b, r)); lines.push('\n'); } }
            std::fs::write(out.join(format!("{n}.jsonl")), lines).unwrap();
            let row = headwater_spec::DataType::not_null(headwater_spec::TypeKind::Row(fields.clone()));
            std::fs::write(out.join(format!("{n}.json")), row.to_json().to_string()).unwrap();
            index.push_str(&format!("{n} {table} {c}\n"));
            n += 1;
        }
    }
    std::fs::write(out.join("index"), index).unwrap();
}
#[test]
fn javas_lz4() {
    use headwater_spec::*;
    let fields = [DataField::new(0, "k", DataType::not_null(TypeKind::Int)), DataField::new(1, "s", DataType::nullable(TypeKind::STRING))];
    let mut out = vec![];
    for e in ["lz4", "gzip", "lz4_raw"] {
        for p in std::fs::read_dir(format!("/tmp/fmt_wh/d.db/t_{e}/bucket-0")).unwrap() {
            let b = decode(bytes_of(&p.unwrap().path()), &fields, 10).unwrap();
            out.push(line(&fields, &b[0], 0));
        }
    }
    println!("{out:?}");
    assert_eq!(out.len(), 3);
}
