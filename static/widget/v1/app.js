export * from "./app.d90d68e00f.js";
