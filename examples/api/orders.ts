export interface Order {
  readonly number: number;
  readonly item: string;
  readonly status: "packing" | "on its way" | "delivered";
}

export interface Orders {
  listFor(account: string): readonly Order[];
  addFor(account: string): Order;
}

const PEOPLE_MAX = 1_000;
const ORDERS_MAX = 20;

/** The shop itself: orders by account, in memory. `sub` is the only name of a person that never changes. */
export function createOrders(): Orders {
  const byAccount = new Map<string, Order[]>();

  function listFor(account: string): readonly Order[] {
    return byAccount.get(account) ?? [{ number: 1001, item: "Teapot, 0.8 l", status: "delivered" }];
  }

  return {
    listFor,
    addFor(account) {
      const earlier = listFor(account);
      const order: Order = { number: 1001 + earlier.length, item: "Green tea, 100 g", status: "packing" };
      if (byAccount.size >= PEOPLE_MAX) byAccount.clear();
      byAccount.set(account, [...earlier, order].slice(-ORDERS_MAX));
      return order;
    },
  };
}
