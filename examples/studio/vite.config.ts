import react from "@vitejs/plugin-react";
import { defineConfig, type UserConfig } from "vite";

const config: UserConfig = defineConfig({
  plugins: [react()],
  build: {
    rolldownOptions: {
      onLog(level, log, report) {
        // Packages mark their client code with "use client", which says nothing in a bundle.
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") report(level, log);
      },
    },
  },
});
export default config;
