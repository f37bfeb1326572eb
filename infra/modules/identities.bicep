// Who acts: one identity for each program, so that each gets what it needs and nothing of the others'.

param location string
param tags object
param names object

resource functions 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: names.functionsIdentity
  location: location
  tags: tags
}

resource worker 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: names.workerIdentity
  location: location
  tags: tags
}

// Reads queue lengths to start workers; no container ever holds it.
resource scaler 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: names.scalerIdentity
  location: location
  tags: tags
}

// Event Grid's, to put BlobCreated events into the queue.
resource events 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: names.eventsIdentity
  location: location
  tags: tags
}
