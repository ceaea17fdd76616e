import { ObservabilityProvider } from "@spanloom/react-core";
import { lazy, type ReactElement, Suspense, useLayoutEffect, useMemo } from "react";
import { Route, Switch } from "wouter";
import { NotFoundPage } from "./pages/NotFoundPage.tsx";
import { StartPage } from "./pages/StartPage.tsx";
import { Header } from "./parts/Header.tsx";
import { createSession, rights, SessionContext } from "./session.ts";
import { useStoredChoice } from "./stored-choice.ts";
import { WorkflowsProvider } from "./workflows.tsx";

// Panels are loaded with the page that shows them.
const MonitoringPage = lazy(async () => ({
  default: (await import("./pages/MonitoringPage.tsx")).MonitoringPage,
}));
const RunPage = lazy(async () => ({ default: (await import("./pages/RunPage.tsx")).RunPage }));
const WorkflowPage = lazy(async () => ({ default: (await import("./pages/WorkflowPage.tsx")).WorkflowPage }));

export function App(): ReactElement {
  const [role, setRole] = useStoredChoice("studio.role", ["operator", "business_user", "auditor"]);
  const [theme, setTheme] = useStoredChoice("studio.theme", ["system", "light", "dark"]);
  const session = useMemo(() => createSession(role), [role]);
  useLayoutEffect(() => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }, [theme]);

  return (
    <SessionContext value={session}>
      <Header role={role} onRoleChange={setRole} theme={theme} onThemeChange={setTheme} />
      <ObservabilityProvider store={session.store} principal={role}>
        <main className="page">
          <WorkflowsProvider>
            <Suspense>
              <Switch>
                <Route path="/" component={StartPage} />
                <Route path="/workflows/:id">{({ id }) => <WorkflowPage workflowId={id} />}</Route>
                <Route path="/monitoring" component={MonitoringPage} />
                <Route path="/runs/:id">{({ id }) => <RunPage executionId={id} />}</Route>
                <Route component={NotFoundPage} />
              </Switch>
            </Suspense>
          </WorkflowsProvider>
        </main>
      </ObservabilityProvider>
      <footer className="footer">
        {rights[role]} This is a demo: the role is what the switch says, sent as <code>x-studio-role</code>; a
        real host uses its own session here. Costs are demo prices of models that run on this machine.
      </footer>
    </SessionContext>
  );
}
