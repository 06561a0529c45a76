// What every call of a generated list has in common: whose client it is, and what is told of an answer.
import createClient, { type FetchResponse } from "openapi-fetch";
import type { paths } from "./generated.ts";

declare const process: { env: Record<string, string> };
declare const console: { log(line: string): void };

export const client = createClient<paths>({ baseUrl: process.env.API });

export function told(operation: string, { response, data, error }: FetchResponse<any, any, any>): void {
  console.log(JSON.stringify({ operation, status: response.status, read: data ?? error }));
}
