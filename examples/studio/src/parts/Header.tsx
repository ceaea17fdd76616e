import type { ReactElement } from "react";
import { Link, useRoute } from "wouter";
import { type Role, roles } from "../session.ts";

type Theme = "system" | "light" | "dark";

interface HeaderProps {
  role: Role;
  onRoleChange(role: Role): void;
  theme: Theme;
  onThemeChange(theme: Theme): void;
}

export function Header({ role, onRoleChange, theme, onThemeChange }: HeaderProps): ReactElement {
  const [onMonitoring] = useRoute("/monitoring");
  return (
    <header className="header">
      <Link href="/" className="wordmark">
        <svg viewBox="0 0 20 20" aria-hidden="true">
          <path
            d="M3 5h10M6 10h11M4.500 15h7"
            stroke="currentColor"
            strokeWidth="2.200"
            strokeLinecap="round"
          />
        </svg>
        Studio
      </Link>
      <nav aria-label="Main">
        <Link href="/" className="nav-link" aria-current={onMonitoring ? undefined : "page"}>
          Workflows
        </Link>
        <Link href="/monitoring" className="nav-link" aria-current={onMonitoring ? "page" : undefined}>
          Monitoring
        </Link>
      </nav>
      <label className="switch">
        <span>Role</span>
        <select value={role} onChange={(event) => onRoleChange(event.target.value as Role)}>
          {Object.entries(roles).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <label className="switch">
        <span>Theme</span>
        <select value={theme} onChange={(event) => onThemeChange(event.target.value as Theme)}>
          <option value="system">System</option>
          <option value="light">Light</option>
          <option value="dark">Dark</option>
        </select>
      </label>
    </header>
  );
}
