import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright";
import { findBrowser } from "../../../scripts/browser.ts";

export interface Visitor {
  browser: Browser;
  /** A new visitor's page. What goes wrong in it is in `problems`. */
  open(options?: BrowserContextOptions): Promise<{ page: Page; problems: string[] }>;
  close(): Promise<void>;
}

export async function openBrowser(): Promise<Visitor> {
  const { executablePath, args } = await findBrowser();
  const browser = await chromium.launch({ args, ...(executablePath !== undefined && { executablePath }) });
  return {
    browser,
    async open(options = {}) {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(15_000);
      const problems: string[] = [];
      page.on("pageerror", (error) => problems.push(String(error)));
      page.on("console", (message) => {
        if (message.type() === "error" || message.type() === "warning") problems.push(message.text());
      });
      return { page, problems };
    },
    close: () => browser.close(),
  };
}

/** Chooses a role with the page's switch. */
export async function lookAs(page: Page, role: "Business user" | "Operator" | "Auditor"): Promise<void> {
  await page.getByLabel("Role").selectOption({ label: role });
}
