import bench from "./zz-ingest.bench.ts";
const r = await bench();
for (const c of r.cases) console.log(c.name, c.median.toFixed(2), c.min.toFixed(2));
for (const b of r.budgets) console.log(b.what, b.value);
