import { type Driver, PostgresDialect } from "kysely";

/**
 * Postgres as kysely has it, but for a `begin` whose answer came too late, because the server hung or this process did.
 * It takes place all the same, and kysely gives the connection back as it is: whatever is written over it next would be
 * acknowledged within a transaction that nobody commits, and be gone with it.
 */
export class CarefulDialect extends PostgresDialect {
  override createDriver(): Driver {
    const driver: Driver = super.createDriver();
    const begin = driver.beginTransaction.bind(driver);
    driver.beginTransaction = async (connection, settings) => {
      try {
        await begin(connection, settings);
      } catch (error) {
        // Comes to the server after the `begin`. Where it is not answered either, the connection is not used again.
        await driver.rollbackTransaction(connection).catch(() => undefined);
        throw error;
      }
    };
    return driver;
  }
}
