import type { Preview } from "@storybook/react-vite";
import "./preview.css";

const preview: Preview = {
  parameters: { a11y: { test: "error" } },
  globalTypes: {
    theme: {
      description: "Theme of the page around the panels",
      toolbar: {
        title: "Theme",
        icon: "contrast",
        items: ["light", "dark"],
        dynamicTitle: true,
      },
    },
  },
  initialGlobals: { theme: "light" },
  decorators: [
    (Story, { globals }) => {
      // As a host does it: panels follow the nearest `data-theme` above them.
      document.documentElement.dataset.theme = globals.theme === "dark" ? "dark" : "light";
      return Story();
    },
  ],
};

export default preview;
