import type { StorybookConfig } from "@storybook/react-vite";

const config: StorybookConfig = {
  framework: "@storybook/react-vite",
  stories: ["../src/**/*.stories.tsx"],
  addons: ["@storybook/addon-a11y", "@storybook/addon-vitest"],
  core: { disableTelemetry: true, disableWhatsNewNotifications: true },
  // Stories show the sources, so that a change in a package is seen without a build.
  viteFinal: async (vite) => {
    const { defaultClientConditions, mergeConfig } = await import("vite");
    return mergeConfig(vite, { resolve: { conditions: ["@spanloom/source", ...defaultClientConditions] } });
  },
};

export default config;
