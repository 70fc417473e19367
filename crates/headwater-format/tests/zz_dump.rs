use parquet::file::reader::{FileReader, SerializedFileReader};
#[test]
fn dump() {
    for t in ["types_parquet_a", "compression_a", "compression_b", "nested_append_a"] {
        let dir = headwater_testkit::fixture_path(&format!("warehouse/golden.db/{t}/bucket-0"));
        for e in std::fs::read_dir(dir).unwrap() {
            let p = e.unwrap().path();
            println!("{}", p.display());
            if p.extension().is_none_or(|e| e != "parquet") { continue; }
            let r = SerializedFileReader::new(std::fs::File::open(p).unwrap()).unwrap();
            let m = r.metadata();
            parquet::schema::printer::print_schema(&mut std::io::stdout(), m.file_metadata().schema());
            for c in m.row_group(0).columns() {
                println!("{} {:?} {:?} {:?}", c.column_path(), c.compression(), c.encodings_mask().encodings().collect::<Vec<_>>(), c.statistics());
            }
            println!("{:?} {:?} ci {:?}", m.file_metadata().key_value_metadata(), m.file_metadata().column_orders(), m.row_group(0).column(0).column_index_offset());
        }
    }
}
