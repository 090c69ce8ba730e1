import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { announcement } from "../../../../device/host/home-assistant.js";
import { availabilityTopic, entityTopic } from "../../../../device/host/retained-predictions.js";
import { isTopic } from "../../../../shared/transport/topic-filter.js";
import { taskId } from "../../../support/device-kit.js";

const options = {
  device: "pi-1",
  task: taskId("pumps"),
  version: "1.2.3",
  topic: "headwater/pi-1/prediction",
};

const pump = { entity: "pump-1", state: "headwater/pi-1/prediction/pump-1" };

describe("an announcement", () => {
  // https://www.home-assistant.io/integrations/sensor.mqtt/: state_topic is required; unique_id with device.identifiers
  // puts it into the device registry; origin.name is required where there is an origin.
  test("has what discovery requires, and where the state is", () => {
    const { topic, payload } = announcement(options, { ...pump, output: "regression" });
    expect(topic).toBe("homeassistant/sensor/pi-1_pumps/pump-1/config");
    expect(JSON.parse(payload)).toEqual({
      name: "pumps pump-1",
      unique_id: "headwater_pi-1_pumps_pump-1",
      state_topic: "headwater/pi-1/prediction/pump-1",
      value_template: "{{ value_json.value }}",
      json_attributes_topic: "headwater/pi-1/prediction/pump-1",
      availability_topic: "headwater/pi-1/prediction/availability",
      state_class: "measurement",
      device: {
        identifiers: ["headwater_pi-1"],
        name: "pi-1",
        manufacturer: "Headwater",
        sw_version: "1.2.3",
      },
      origin: { name: "Headwater", sw_version: "1.2.3" },
    });
  });

  test("of yes or no is one of a binary sensor, and of classes one without a mean", () => {
    const binary = announcement(options, { ...pump, output: "binary" });
    expect(binary.topic).toBe("homeassistant/binary_sensor/pi-1_pumps/pump-1/config");
    const classes = announcement(options, { ...pump, output: "classification" });
    expect(JSON.parse(classes.payload)).not.toHaveProperty("state_class");
  });

  test("stands at a topic of its own, whatever the entity is called", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (a, b) => {
        const state = entityTopic(options.topic, a)!;
        const { topic } = announcement(options, { entity: a, state, output: "regression" });
        expect(topic).toMatch(/^homeassistant\/sensor\/[\w-]+\/[\w-]+\/config$/);
        expect(isTopic(state)).toBe(true);
        expect(state).not.toBe(availabilityTopic(options.topic));
        if (a !== b) expect(state).not.toBe(entityTopic(options.topic, b));
      }),
    );
  });
});
