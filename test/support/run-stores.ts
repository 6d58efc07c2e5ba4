import pg from "pg";

/** The servers that a run shares, and what its databases have in common. */
export interface RunStores {
  readonly redisUrl: string;
  readonly databaseUrl: string;
  /** Part of the names of templates: two runs may use one Postgres. */
  readonly id: string;
  /** The LATCHKEY_SECRET that signing keys in templates are sealed under. */
  readonly secret: string;
}

/** `tables`: those of all migrations. `start`: what a server leaves that was started once, signing keys among it. */
export const TEMPLATES = ["tables", "start"] as const;
export type Template = (typeof TEMPLATES)[number];

export function templateName({ id }: Pick<RunStores, "id">, template: Template): string {
  return `template_${id}_${template}`;
}

export async function dropTemplates(run: RunStores): Promise<void> {
  await onPostgres(run.databaseUrl, async (client) => {
    for (const template of TEMPLATES) await client.query(`drop database if exists ${templateName(run, template)}`);
  });
}

export function withPath(url: string, path: string): string {
  const changed = new URL(url);
  changed.pathname = `/${path}`;
  return changed.href;
}

/** Work on a connection of its own. */
export async function onPostgres<Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
