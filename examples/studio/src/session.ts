import { createHttpStore, type HttpStore } from "@spanloom/store/http";
import { createContext, useContext } from "react";

export const roles = {
  business_user: "Business user",
  operator: "Operator",
  auditor: "Auditor",
} as const;
export type Role = keyof typeof roles;

/** What a role may see; the server decides it, this only says so. */
export const rights: Record<Role, string> = {
  business_user: "Business users see runs, costs and content, but no links into dashboards.",
  operator: "Operators see everything, and links into Grafana and Tempo.",
  auditor: "Auditors see runs, costs and traces, but no prompts or responses, and start nothing.",
};

/** Who looks, and how that person reaches the server. */
export interface Session {
  role: Role;
  store: HttpStore;
  /** The studio's own API. Rejects with what the server said. */
  request<T>(path: string, init?: RequestInit): Promise<T>;
}

/** DEMO ONLY: the page says who it is. A real host sends its session cookie or token here. */
export function createSession(role: Role): Session {
  const headers = { "x-studio-role": role };
  return {
    role,
    store: createHttpStore({ baseUrl: "/api/spanloom", headers }),
    async request(path, init = {}) {
      const response = await fetch(`/api/studio${path}`, {
        ...init,
        headers: { "content-type": "application/json", ...headers },
      });
      const body = await response.json().catch(() => ({}));
      if (!response.ok) throw new Error(body.message ?? `The server answered ${response.status}.`);
      return body;
    },
  };
}

export const SessionContext = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("There is no session around this component.");
  return session;
}
