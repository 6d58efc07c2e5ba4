export interface Order {
  readonly number: number;
  readonly item: string;
  readonly status: "packing" | "on its way" | "delivered" | "refunded";
}

export interface Orders {
  listFor(account: string): readonly Order[];
  addFor(account: string): Order;
  /** The order, refunded; a second time changes nothing. `undefined`: there is no such order of theirs. */
  refundFor(account: string, number: number): Order | undefined;
}

const PEOPLE_MAX = 1_000;
const ORDERS_MAX = 20;

/** The shop itself: orders by account, in memory. `sub` is the only name of a person that never changes. */
export function createOrders(): Orders {
  const byAccount = new Map<string, readonly Order[]>();

  function listFor(account: string): readonly Order[] {
    return byAccount.get(account) ?? [{ number: 1001, item: "Teapot, 0.8 l", status: "delivered" }];
  }

  function keep(account: string, orders: readonly Order[]): void {
    if (byAccount.size >= PEOPLE_MAX) byAccount.clear();
    byAccount.set(account, orders.slice(-ORDERS_MAX));
  }

  return {
    listFor,
    addFor(account) {
      const earlier = listFor(account);
      const number = (earlier.at(-1)?.number ?? 1000) + 1;
      const order: Order = { number, item: "Green tea, 100 g", status: "packing" };
      keep(account, [...earlier, order]);
      return order;
    },
    refundFor(account, number) {
      const orders = listFor(account);
      const order = orders.find((each) => each.number === number);
      if (order === undefined) return undefined;
      const refunded: Order = { ...order, status: "refunded" };
      keep(
        account,
        orders.map((each) => (each === order ? refunded : each)),
      );
      return refunded;
    },
  };
}
